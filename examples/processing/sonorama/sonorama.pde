// Shows the pictures of a running sonorama show (sonorama live). For Processing 4; FrameMap.java is the second tab.

import java.nio.ByteBuffer;

FrameMap reader = new FrameMap("sonorama"); // the show's name: --name
PImage picture;

void setup() {
  size(1280, 720);
}

void draw() {
  if (reader.newest()) {
    if (picture == null || picture.width != reader.width || picture.height != reader.height) {
      picture = createImage(reader.width, reader.height, RGB);
    }
    picture.loadPixels();
    ByteBuffer.wrap(reader.pixels).asIntBuffer().get(picture.pixels); // each is 0xRRGGBBAA
    for (int i = 0; i < picture.pixels.length; i++) {
      picture.pixels[i] = 0xff000000 | picture.pixels[i] >>> 8;
    }
    picture.updatePixels();
  }
  if (picture != null) {
    image(picture, 0, 0, width, height);
  }
}
