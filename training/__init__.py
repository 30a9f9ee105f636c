"""How worlds are made: data, losses and the stages that train one."""
