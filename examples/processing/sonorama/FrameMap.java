// Reads the pictures of a running sonorama show from shared memory; the layout: docs/frame-map.md. Needs Java 17 and
// nothing else: a tab of a Processing 4 sketch, and a program (java FrameMap.java sonorama) that writes PAM images.

import java.io.IOException;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

public class FrameMap {
    static final int VERSION = 8, WIDTH = 12, HEIGHT = 16, STRIDE = 20, FOURCC = 24, SLOTS = 28, SLOT_SIZE = 32;
    static final int DATA_OFFSET = 40, GENERATION = 44, HEARTBEAT_NS = 56, COUNT = 64;
    static final int SEQ = 0, PIXELS = 64; // of a slot
    static final int HEADER_SIZE = 4096;
    static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** Of the newest picture: height rows of width pixels, row 0 on top, four bytes each: red, green, blue, alpha. */
    public int width, height;
    public byte[] pixels = new byte[0];

    private final Path path;
    private ByteBuffer header; // null while nothing is open
    private ByteBuffer[] slots;
    private long last, looked, beat, beaten;

    public FrameMap(String name) {
        Path memory = Path.of("/dev/shm"), temporary = Path.of(System.getProperty("java.io.tmpdir"));
        path = (Files.isWritable(memory) ? memory : temporary).resolve("sonorama-" + name);
        looked = System.nanoTime() - 1_000_000_000L;
    }

    /** Whether a show writes the map that is open: it gave a new sign within the last second. */
    public boolean alive() {
        if (header == null || header.getInt(GENERATION) == 0) return false;
        long now = System.nanoTime(), sign = (long) LONG.getOpaque(header, HEARTBEAT_NS);
        if (sign != beat) {
            beat = sign;
            beaten = now;
        }
        return now - beaten < 1_000_000_000L;
    }

    /** Copies the newest picture to pixels; false if there is none but the one before. */
    public boolean newest() {
        if (!alive()) open();
        while (header != null) {
            long count = (long) LONG.getAcquire(header, COUNT);
            if (count == 0 || count == last) return false;
            ByteBuffer slot = slots[(int) ((count - 1) % slots.length)];
            if ((long) LONG.getAcquire(slot, SEQ) == 2 * count) {
                int size = header.getInt(STRIDE) * header.getInt(HEIGHT);
                if (pixels.length != size) pixels = new byte[size];
                slot.get(PIXELS, pixels);
                VarHandle.acquireFence();
                if ((long) LONG.getOpaque(slot, SEQ) == 2 * count) {
                    last = count;
                    width = header.getInt(WIDTH);
                    height = header.getInt(HEIGHT);
                    return true;
                }
            } else if (count == (long) LONG.getOpaque(header, COUNT)) {
                return false; // counted in the generation before
            }
        }
        return false;
    }

    /** Takes what stands under the name now; keeps what is open if there is nothing. */
    private void open() {
        long now = System.nanoTime();
        if (now - looked < 100_000_000L) return;
        looked = now;
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            if (file.size() < HEADER_SIZE) return;
            ByteBuffer found = map(file, 0, HEADER_SIZE);
            long size = found.getLong(SLOT_SIZE), first = found.getInt(DATA_OFFSET);
            int count = found.getInt(SLOTS);
            if (!text(found, 0, 8).equals("SONOFMAP") || found.getInt(VERSION) != 1
                    || !text(found, FOURCC, 4).equals("RGBA") || first + count * size > file.size()) return;
            ByteBuffer[] parts = new ByteBuffer[count];
            for (int index = 0; index < count; index++) parts[index] = map(file, first + index * size, size);
            header = found;
            slots = parts;
        } catch (IOException none) {
            return; // no show of that name yet
        }
    }

    private static ByteBuffer map(FileChannel file, long start, long size) throws IOException {
        return file.map(FileChannel.MapMode.READ_ONLY, start, size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String text(ByteBuffer from, int start, int length) {
        byte[] bytes = new byte[length];
        from.get(start, bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        FrameMap reader = new FrameMap(arguments[0]);
        OutputStream out = new java.io.FileOutputStream(java.io.FileDescriptor.out);
        Boolean alive = null;
        while (true) {
            if (reader.newest()) {
                String head = "P7\nWIDTH " + reader.width + "\nHEIGHT " + reader.height
                    + "\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n";
                out.write(head.getBytes(StandardCharsets.US_ASCII));
                out.write(reader.pixels);
            }
            if (alive == null || reader.alive() != alive) {
                alive = reader.alive();
                System.err.println(alive ? "live" : "no owner");
            }
            Thread.sleep(1);
        }
    }
}
