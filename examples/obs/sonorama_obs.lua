-- Adds the source "sonorama" to OBS, which shows the pictures of a running show. Tools > Scripts > + adds it; it needs
-- frame_map.lua beside it. For Linux.

local obs, ffi = obslua, require("ffi")
local FrameMap = dofile(script_path() .. "frame_map.lua")

ffi.cdef [[
typedef struct gs_texture gs_texture_t;
typedef struct gs_effect gs_effect_t;
typedef struct gs_effect_param gs_eparam_t;
gs_texture_t *gs_texture_create(uint32_t width, uint32_t height, int format, uint32_t levels, const uint8_t **data, uint32_t flags);
void gs_texture_set_image(gs_texture_t *texture, const uint8_t *data, uint32_t linesize, bool invert);
void gs_texture_destroy(gs_texture_t *texture);
gs_effect_t *obs_get_base_effect(int effect);
gs_eparam_t *gs_effect_get_param_by_name(const gs_effect_t *effect, const char *name);
void gs_effect_set_texture(gs_eparam_t *param, gs_texture_t *texture);
bool gs_effect_loop(gs_effect_t *effect, const char *name);
void gs_draw_sprite(gs_texture_t *texture, uint32_t flip, uint32_t width, uint32_t height);
void obs_enter_graphics(void);
void obs_leave_graphics(void);
]]
local lib = ffi.load("libobs.so.0")
local RGBA, DYNAMIC, DEFAULT_EFFECT = 3, 2, 0  -- GS_RGBA, GS_DYNAMIC, OBS_EFFECT_DEFAULT

local function free(data)
    if data.texture then
        lib.obs_enter_graphics()
        lib.gs_texture_destroy(data.texture)
        lib.obs_leave_graphics()
    end
    data.texture = nil
end

local source = {
    id = "sonorama_frame_map",
    type = obs.OBS_SOURCE_TYPE_INPUT,
    output_flags = require("bit").bor(obs.OBS_SOURCE_VIDEO, obs.OBS_SOURCE_CUSTOM_DRAW),
}

function source.get_name() return "sonorama" end

function source.create(settings)
    local data = {}
    source.update(data, settings)
    return data
end

function source.destroy(data)
    free(data)
    data.reader:close()
end

function source.update(data, settings)
    local name = obs.obs_data_get_string(settings, "name")
    if data.reader then data.reader:close() end
    data.reader = FrameMap.new(name)
end

function source.get_defaults(settings) obs.obs_data_set_default_string(settings, "name", "sonorama") end

function source.get_properties()
    local properties = obs.obs_properties_create()
    obs.obs_properties_add_text(properties, "name", "Name of the show", obs.OBS_TEXT_DEFAULT)
    return properties
end

function source.get_width(data) return data.width or 0 end
function source.get_height(data) return data.height or 0 end

function source.video_tick(data)
    data.fresh = data.reader:newest() or data.fresh
end

function source.video_render(data)
    local reader = data.reader
    if data.fresh then
        if data.width ~= reader.width or data.height ~= reader.height or not data.texture then
            free(data)
            data.width, data.height = reader.width, reader.height
            data.texture = lib.gs_texture_create(data.width, data.height, RGBA, 1, nil, DYNAMIC)
        end
        lib.gs_texture_set_image(data.texture, reader.pixels, data.width * 4, false)
        data.fresh = false
    end
    if not data.texture then return end
    local effect = lib.obs_get_base_effect(DEFAULT_EFFECT)
    lib.gs_effect_set_texture(lib.gs_effect_get_param_by_name(effect, "image"), data.texture)
    while lib.gs_effect_loop(effect, "Draw") do lib.gs_draw_sprite(data.texture, 0, data.width, data.height) end
end

function script_description() return "Shows the pictures of a running sonorama show." end
function script_load() obs.obs_register_source(source) end
