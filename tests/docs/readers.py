"""Readers of the frame map in other languages, as programs that write PAM images: folder for builds -> command."""

import subprocess
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
PROCESSING, VVVV, MAX = EXAMPLES / "processing" / "sonorama", EXAMPLES / "vvvv", EXAMPLES / "max"

# What the class has no need of in vvvv.
PROGRAM = """
using System;
using System.IO;
using System.Text;
using System.Threading;

static class Program
{
    static void Main(string[] arguments)
    {
        var reader = new Sonorama.FrameMap(arguments[0]);
        var pictures = Console.OpenStandardOutput();
        bool? alive = null;
        while (true)
        {
            if (reader.Newest())
            {
                var head = Encoding.ASCII.GetBytes(string.Format(
                    "P7\\nWIDTH {0}\\nHEIGHT {1}\\nDEPTH 4\\nMAXVAL 255\\nTUPLTYPE RGB_ALPHA\\nENDHDR\\n",
                    reader.Width, reader.Height));
                pictures.Write(head, 0, head.Length);
                pictures.Write(reader.Pixels, 0, reader.Pixels.Length);
                pictures.Flush();
            }
            if (reader.Alive != alive)
            {
                alive = reader.Alive;
                Console.Error.WriteLine(alive == true ? "live" : "no owner");
            }
            Thread.Sleep(1);
        }
    }
}
"""


def compile_csharp(folder: Path, program: str, *more: Path) -> list[str]:
    """The command of a C# program; more: source files beside FrameMap.cs. Warnings are errors."""
    (folder / "Program.cs").write_text(program)
    sources = [folder / "Program.cs", VVVV / "FrameMap.cs", *more]
    command = ["mcs", "-langversion:7", "-warn:4", "-warnaserror", f"-out:{folder / 'program.exe'}"]
    subprocess.run([*command, *map(str, sources)], check=True)
    return ["mono", str(folder / "program.exe")]


def csharp_reader(folder: Path) -> list[str]:
    return compile_csharp(folder, PROGRAM)


def java_reader(folder: Path) -> list[str]:
    subprocess.run(["javac", "-Xlint:all", "-Werror", "-d", str(folder), str(PROCESSING / "FrameMap.java")], check=True)
    return ["java", "-cp", str(folder), "FrameMap"]


def node_reader(_: Path) -> list[str]:
    return ["node", str(MAX / "frame_map.js")]
