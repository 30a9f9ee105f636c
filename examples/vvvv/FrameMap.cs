// Reads the pictures of a running sonorama show from shared memory; the layout: docs/frame-map.md. Plain .NET.

using System;
using System.Diagnostics;
using System.IO;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

namespace Sonorama
{
    /// <summary>Reads one map by its name, through resizes and from owner to owner.</summary>
    public sealed class FrameMap : IDisposable
    {
        const int VERSION = 8, WIDTH = 12, HEIGHT = 16, STRIDE = 20, FOURCC = 24, SLOTS = 28, SLOT_SIZE = 32;
        const int DATA_OFFSET = 40, GENERATION = 44, HEARTBEAT_NS = 56, COUNT = 64;
        const int SEQ = 0, PIXELS = 64; // of a slot
        const int HEADER_SIZE = 4096;

        readonly string path;
        readonly Stopwatch clock = Stopwatch.StartNew();
        MemoryMappedViewAccessor map; // null while nothing is open
        long last, beat, beaten, looked = -1000;

        public FrameMap(string name)
        {
            var memory = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
            path = Path.Combine(memory, "sonorama-" + name);
        }

        /// <summary>Of the newest picture, in pixels.</summary>
        public int Width { get; private set; }

        /// <summary>Of the newest picture, in pixels.</summary>
        public int Height { get; private set; }

        /// <summary>The newest picture: rows from the top, four bytes a pixel: red, green, blue, alpha.</summary>
        public byte[] Pixels { get; private set; } = new byte[0];

        /// <summary>Whether a show writes the map that is open: it gave a new sign within the last second.</summary>
        public bool Alive
        {
            get
            {
                if (map == null || map.ReadInt32(GENERATION) == 0) return false;
                var sign = map.ReadInt64(HEARTBEAT_NS);
                if (sign != beat)
                {
                    beat = sign;
                    beaten = clock.ElapsedMilliseconds;
                }
                return clock.ElapsedMilliseconds - beaten < 1000;
            }
        }

        /// <summary>Copies the newest picture to Pixels; false if there is none but the one before.</summary>
        public bool Newest()
        {
            if (!Alive) Open();
            while (map != null)
            {
                var count = map.ReadInt64(COUNT);
                Thread.MemoryBarrier();
                if (count == 0 || count == last) return false;
                var slot = map.ReadUInt32(DATA_OFFSET) + (count - 1) % map.ReadUInt32(SLOTS) * map.ReadInt64(SLOT_SIZE);
                if (map.ReadInt64(slot + SEQ) == 2 * count)
                {
                    Thread.MemoryBarrier();
                    Copy(slot + PIXELS, map.ReadInt32(STRIDE) * map.ReadInt32(HEIGHT));
                    Thread.MemoryBarrier();
                    if (map.ReadInt64(slot + SEQ) == 2 * count)
                    {
                        last = count;
                        Width = map.ReadInt32(WIDTH);
                        Height = map.ReadInt32(HEIGHT);
                        return true;
                    }
                }
                else if (count == map.ReadInt64(COUNT)) return false; // counted in the generation before
            }
            return false;
        }

        public void Dispose()
        {
            if (map != null) map.Dispose();
            map = null;
        }

        void Copy(long start, int size)
        {
            if (Pixels.Length != size) Pixels = new byte[size];
            var view = map.SafeMemoryMappedViewHandle.DangerousGetHandle().ToInt64();
            Marshal.Copy(new IntPtr(view + start), Pixels, 0, size);
        }

        // Takes what stands under the name now; keeps what is open if there is nothing.
        void Open()
        {
            if (clock.ElapsedMilliseconds - looked < 100) return;
            looked = clock.ElapsedMilliseconds;
            MemoryMappedViewAccessor found;
            try
            {
                var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                using (file)
                {
                    if (file.Length < HEADER_SIZE) return;
                    using (var whole = MemoryMappedFile.CreateFromFile(
                        file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, true))
                        found = whole.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
                }
            }
            catch (IOException)
            {
                return; // no show of that name yet
            }
            var end = found.ReadUInt32(DATA_OFFSET) + found.ReadUInt32(SLOTS) * found.ReadInt64(SLOT_SIZE);
            if (Text(found, 0, 8) != "SONOFMAP" || found.ReadInt32(VERSION) != 1
                || Text(found, FOURCC, 4) != "RGBA" || end > found.Capacity)
            {
                found.Dispose();
                return;
            }
            Dispose();
            map = found;
        }

        static string Text(MemoryMappedViewAccessor from, int start, int length)
        {
            var bytes = new byte[length];
            from.ReadArray(start, bytes, 0, length);
            return Encoding.ASCII.GetString(bytes);
        }
    }
}
