"""Interface of backends: where the networks of a world run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...model.world_file import World
    from ...units import Array, Pixels


@runtime_checkable
class Backend(Protocol):
    """The networks of one world on one device (`--device NAME`). All arrays are float32 numpy.

    The entry point (group `sonorama.backends`) is a factory, see BackendFactory. The same inputs must give the same
    outputs, bit for bit, in every run on one machine: films, takes and a renderer that is started again rest on that.
    `synthesize` is called from as many threads at once as `painters` says, everything else from one thread.

    Attributes:
        name: for people and for takes, such as `openvino-cpu`; a plug-in gives the name of its entry point, by which a
            take finds it again.
        painters: how many threads may call `synthesize` at once.

    """

    name: str
    painters: int

    def embed_sound(self, window: Array) -> Array:
        """F_a: mel window, log-mel [128,344] (4 s) -> sound embedding, unit length [D]."""
        ...

    def invert_sound(self, window: Array, code: Array) -> tuple[Array, float]:
        """E_a (eq. 1): mel window, log-mel [128,88] (1 s), and sound embedding [D] -> sound displacement [L,W],
        presence 0..1.
        """
        ...

    def step_rnn(self, u: Array, h: Array) -> tuple[Array, Array]:
        """E_RNN (eq. 4): input u [L,W] and hidden state h [3,H] -> Delta [L,W] in units of sigma_w, next h."""
        ...

    def map_latent(self, z: Array) -> Array:
        """Mapping network: z [Z] -> w [W], without truncation."""
        ...

    def synthesize(self, ws: Array) -> Array:
        """G: style codes [L,W] -> picture [H,W,3] in 0..1, row 0 on top.

        For a StyleGAN3 generator (`card.has_placement`) there may be one row more: the placement.
        """
        ...


@runtime_checkable
class FastBackend(Protocol):
    """What a backend offers besides `Backend` if G can run in lower precision, for `/engine/precision`; optional.

    A backend without it plays on in its one precision, which counts as exact. The other networks always run exactly,
    so that the style codes are the same in every precision.
    """

    def fast_precisions(self) -> Sequence[str]:
        """Names of the number formats, such as `bf16`, in which this machine paints faster than exactly, the fastest
        first; none where it has no arithmetic for them. Must not take long. Any thread.
        """
        ...

    def open_fast(self, precision: str) -> Callable[[Array], Array]:
        """Another `synthesize`, in one of these formats and ready to paint at once. Called while the world plays, from
        another thread; what it returns is used under the same conditions as `synthesize`.

        Raises:
            SonoramaError: this machine cannot paint in that format after all.

        """
        ...


@runtime_checkable
class PixelPainter(Protocol):
    """What a backend offers besides `synthesize` if it can paint one picture while the one before is on its way;
    optional, and only live shows use it. What FastBackend and EarlyExitBackend open may offer it, too.
    """

    def begin_pixels(self, ws: Array) -> Callable[[], Pixels]:
        """Begin to paint style codes [L,W] without waiting for the picture. What is returned waits for it, and must be
        called once: RGBA8 [H,W,4], the bits that `rgba8(synthesize(ws))` gives. Two may be begun at once.
        """
        ...


@runtime_checkable
class EarlyExitBackend(Protocol):
    """What a backend offers besides `Backend` if G can leave its last block out, for a show that cannot keep up;
    optional.
    """

    def can_leave_early(self) -> bool:
        """Whether this world can: a generator with a skip connection. Any thread."""
        ...

    def open_early(self, precision: str) -> Callable[[Array], Array]:
        """Another `synthesize` of the same size: the picture of the last block but one, at half the size, enlarged as
        the skip connection does. Called as `open_fast` is, with one of those precisions or `exact`.

        Raises:
            SonoramaError: this machine cannot.

        """
        ...


class BackendFactory(Protocol):
    """What an entry point of `sonorama.backends` names: usually the class of the backend itself."""

    def __call__(self, world: World, threads: int, painters: int) -> Backend:
        """Open a world.

        Args:
            world: card and tensors; its card says every size.
            threads: CPU threads of one picture.
            painters: pictures that will be asked for at once; a backend may support fewer and say so in `painters`.

        Raises:
            SonoramaError: the device is missing, or the world does not fit.

        """
        ...
