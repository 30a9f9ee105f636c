// The node Sonorama for vvvv gamma: the pictures of a running sonorama show as images. It needs FrameMap.cs beside it.

using System;
using VL.Core.Import;
using VL.Lib.Basics.Imaging;

[assembly: ImportAsIs(Namespace = "Sonorama")]

namespace Sonorama
{
    /// <summary>The newest picture of a running sonorama show, and whether the show is running.</summary>
    [ProcessNode(Name = "Sonorama")]
    public sealed class SonoramaPictures : IDisposable
    {
        FrameMap map;
        string shown;
        IImage image = ImageExtensions.Default;

        public void Update(out IImage output, out bool alive, string name = "sonorama")
        {
            if (map == null || name != shown)
            {
                Dispose();
                shown = name;
                map = new FrameMap(name);
            }
            // The next picture overwrites the array, and so the image is volatile: valid until the next frame.
            if (map.Newest())
                image = new ArrayImage<byte>(map.Pixels, new ImageInfo(map.Width, map.Height, PixelFormat.R8G8B8A8), true);
            output = image;
            alive = map.Alive;
        }

        public void Dispose()
        {
            if (map != null) map.Dispose();
            map = null;
        }
    }
}
