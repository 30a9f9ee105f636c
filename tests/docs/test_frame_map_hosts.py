"""The files for Processing, vvvv gamma and Max: a real Processing 1.2; the other two by what their makers document."""

import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.ipc.frame_map import FrameMapWriter

from ..speed import slowness
from .readers import MAX, PROCESSING, VVVV, compile_csharp
from .test_frame_map import next_picture, picture

pytestmark = pytest.mark.hosts

# What the Processing application writes round a sketch, with the show's name, and a picture of the window at the end.
SKETCH = """
import processing.core.*;
{imports}
public class Sketch extends PApplet {{
{body}
    int drawn = 0;
    public void handlePost() {{
        if (picture != null && ++drawn == 20) {{
            save("{shot}");
            System.exit(0);
        }}
    }}
    public static void main(String[] arguments) {{ PApplet.main(new String[] {{"Sketch"}}); }}
}}
"""
CORE = "/usr/share/java/processing-core.jar"

# vvvv's own types, as far as the node needs them: names and signatures of VL.Core and VL.CoreLib.
VVVV_TYPES = """
namespace VL.Core.Import
{
    [System.AttributeUsage(System.AttributeTargets.Assembly)]
    public sealed class ImportAsIsAttribute : System.Attribute { public string Namespace { get; set; } }
    [System.AttributeUsage(System.AttributeTargets.Class)]
    public sealed class ProcessNodeAttribute : System.Attribute { public string Name { get; set; } }
}
namespace VL.Lib.Basics.Imaging
{
    public enum PixelFormat { Unknown, R8G8B8A8 }
    public struct ImageInfo
    {
        public readonly int Width, Height;
        public readonly PixelFormat Format;
        public ImageInfo(int width, int height, PixelFormat format, string originalFormat = null)
        {
            Width = width;
            Height = height;
            Format = format;
        }
    }
    public interface IImage { ImageInfo Info { get; } bool IsVolatile { get; } }
    public class ArrayImage<T> : IImage where T : struct
    {
        public readonly T[] Data;
        public ArrayImage(T[] data, ImageInfo info, bool isVolatile)
        {
            Data = data;
            Info = info;
            IsVolatile = isVolatile;
        }
        public ImageInfo Info { get; private set; }
        public bool IsVolatile { get; private set; }
    }
    public static class ImageExtensions
    {
        public static readonly IImage Default = new ArrayImage<byte>(
            new byte[4], new ImageInfo(1, 1, PixelFormat.R8G8B8A8), false);
    }
}
"""
# A line of input is a frame of the patch: the node is updated, and its image written.
VVVV_PROGRAM = (
    VVVV_TYPES
    + """
static class Program
{
    static void Main(string[] arguments)
    {
        var node = new Sonorama.SonoramaPictures();
        var pictures = System.Console.OpenStandardOutput();
        while (System.Console.ReadLine() != null)
        {
            VL.Lib.Basics.Imaging.IImage image;
            bool alive;
            node.Update(out image, out alive, arguments[0]);
            var info = image.Info;
            var data = ((VL.Lib.Basics.Imaging.ArrayImage<byte>)image).Data;
            var head = System.Text.Encoding.ASCII.GetBytes(string.Format(
                "P7\\nWIDTH {0}\\nHEIGHT {1}\\nDEPTH 4\\nMAXVAL 255\\nTUPLTYPE RGB_ALPHA\\nENDHDR\\n",
                info.Width, info.Height));
            pictures.Write(head, 0, head.Length);
            pictures.Write(data, 0, data.Length);
            pictures.Flush();
            System.Console.Error.WriteLine(alive);
        }
        node.Dispose();
    }
}
"""
)


@pytest.fixture
def name() -> str:
    return f"test-hosts-{time.time_ns()}"


@contextmanager
def running(command: list[str], pipe: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is ended at the end; pipe: subprocess.PIPE for all of its streams."""
    process = subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_processing_sketch_shows_the_pictures(name: str, tmp_path: Path) -> None:
    source = (PROCESSING / "sonorama.pde").read_text()
    assert source.count('"sonorama"') == 1
    assert source.count("size(1280, 720)") == 1
    lines = source.replace('"sonorama"', f'"{name}"').replace("size(1280, 720)", "size(320, 180)").splitlines()
    imports = "\n".join(line for line in lines if line.startswith("import "))
    body = "\n".join(line.replace("void ", "public void ", 1) for line in lines if not line.startswith("import "))
    body = body.replace("public void draw() {", "public void draw() { paint_it(); handlePost(); }\nvoid paint_it() {")
    shot = tmp_path / "shot.png"
    (tmp_path / "Sketch.java").write_text(SKETCH.format(imports=imports, body=body, shot=shot))
    sources = [str(tmp_path / "Sketch.java"), str(PROCESSING / "FrameMap.java")]
    subprocess.run(["javac", "-nowarn", "-cp", CORE, "-d", str(tmp_path), *sources], check=True)
    command = ["xvfb-run", "-a", "java", "-cp", f"{tmp_path}:{CORE}", "Sketch"]
    wanted = picture(1, 320, 180)
    end = time.monotonic() + 60 * slowness()
    with FrameMapWriter(name, 320, 180) as writer, running(command) as sketch:
        while sketch.poll() is None:
            writer.publish(wanted, 0, 1)
            assert time.monotonic() < end
            time.sleep(0.03)
        assert sketch.returncode == 0
    raw = ["ffmpeg", "-v", "error", "-i", str(shot), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    shown = np.frombuffer(subprocess.run(raw, check=True, capture_output=True).stdout, np.uint8).reshape(180, 320, 3)
    assert (shown == wanted[..., :3]).all()


def test_the_node_for_vvvv_gives_the_pictures_as_images(name: str, tmp_path: Path) -> None:
    command = [*compile_csharp(tmp_path, VVVV_PROGRAM, VVVV / "SonoramaPictures.cs"), name]
    with running(command, subprocess.PIPE) as patch:
        assert patch.stdin
        assert patch.stdout
        assert patch.stderr

        def frame() -> tuple[np.ndarray, bool]:
            assert patch.stdin
            assert patch.stdout
            assert patch.stderr
            patch.stdin.write(b"\n")
            return next_picture(patch.stdout), patch.stderr.readline().strip() == b"True"

        shown, alive = frame()
        assert shown.shape == (1, 1, 4), "vvvv's default image before the first picture"
        assert not alive
        with FrameMapWriter(name, 30, 20) as writer:
            time.sleep(0.11)  # the reader looks for the name ten times a second
            for seed in (1, 2):
                writer.publish(picture(seed, 30, 20), 0, seed)
                for _ in range(2):
                    shown, alive = frame()
                    assert (shown == picture(seed, 30, 20)).all()
                    assert alive
        shown, alive = frame()
        assert (shown == picture(2, 30, 20)).all(), "the last one stays"
        assert not alive


def exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += connection.recv(size - len(data)) or pytest.fail("the stream ends in a packet")
    return data


def matrix(connection: socket.socket) -> np.ndarray:
    """One matrix packet, as jit.net.recv reads it: uint8 [height, width, 4], planes ARGB."""
    assert exactly(connection, 8) == b"JMTX" + struct.pack("<i", 288)
    header = exactly(connection, 288)
    assert header[:4] == b"XTMJ"
    size, planes, kind, dimensions = struct.unpack(">4i", header[4:20])
    assert (size, planes, kind, dimensions) == (288, 4, 0, 2)
    dim, stride = np.frombuffer(header, ">i4", 32, 20), np.frombuffer(header, ">i4", 32, 148)
    width, height = dim[:2]
    data_size, sent_ms = struct.unpack(">id", header[276:])
    assert stride[:2].tolist() == [4, 4 * width]
    assert data_size == stride[1] * height
    assert sent_ms > 0
    data = np.frombuffer(exactly(connection, data_size), np.uint8).reshape(height, width, 4)
    # jit.net.send expects an answer to each matrix, from which it estimates the latency.
    connection.sendall(b"JMLP" + struct.pack(">3d", sent_ms, 1.0, 2.0))
    return data


def test_the_script_for_max_sends_matrices_through_reconnections(name: str) -> None:
    node = shutil.which("node")
    assert node
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        server.settimeout(30 * slowness())
        with FrameMapWriter(name, 30, 20) as writer, running([node, str(MAX / "sonorama.js"), name, str(port)]):
            for seed, width, height in ((1, 30, 20), (2, 200, 120)):
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(30 * slowness())
                    if writer.size != (width, height):
                        writer.resize(width, height)
                    for step in range(3):
                        writer.publish(picture(seed + 10 * step, width, height), 0, seed)
                        assert (matrix(connection)[..., [1, 2, 3, 0]] == picture(seed + 10 * step, width, height)).all()
