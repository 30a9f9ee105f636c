// Reads the pictures of a running sonorama show from shared memory; the layout: docs/frame-map.md. Needs Node.js and
// nothing else: a module, and a program (node frame_map.js sonorama) that writes PAM images.

const fs = require("fs");
const os = require("os");
const path = require("path");

const VERSION = 8, WIDTH = 12, HEIGHT = 16, STRIDE = 20, FOURCC = 24, SLOTS = 28, SLOT_SIZE = 32;
const DATA_OFFSET = 40, GENERATION = 44, HEARTBEAT_NS = 56, COUNT = 64;
const SEQ = 0, PIXELS = 64; // of a slot
const HEADER_SIZE = 4096;

// Node.js cannot map files: it reads them, which sees the same memory.
class FrameMap {
    constructor(name) {
        const memory = fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir();
        this.path = path.join(memory, "sonorama-" + name);
        this.file = null; // while nothing is open
        this.header = null; // what does not change, as a DataView
        this.word = new DataView(new ArrayBuffer(8));
        this.last = this.beat = 0n;
        this.beaten = 0;
        this.looked = -1000;
        this.width = this.height = 0;
        this.pixels = Buffer.alloc(0); // height rows of width * 4 bytes, row 0 on top: red, green, blue, alpha
    }

    // Whether a show writes the map that is open: it gave a new sign within the last second.
    alive() {
        if (this.file === null || this.number(GENERATION) === 0) return false;
        const sign = this.long(HEARTBEAT_NS);
        if (sign !== this.beat) {
            this.beat = sign;
            this.beaten = performance.now();
        }
        return performance.now() - this.beaten < 1000;
    }

    // Copies the newest picture to pixels; false if there is none but the one before.
    newest() {
        if (!this.alive()) this.open();
        while (this.file !== null) {
            const count = this.long(COUNT);
            if (count === 0n || count === this.last) return false;
            const index = Number((count - 1n) % BigInt(this.header.getUint32(SLOTS, true)));
            const slot = this.header.getUint32(DATA_OFFSET, true) + index * Number(this.header.getBigUint64(SLOT_SIZE, true));
            if (this.long(slot + SEQ) === 2n * count) {
                const size = this.header.getUint32(STRIDE, true) * this.header.getUint32(HEIGHT, true);
                if (this.pixels.length !== size) this.pixels = Buffer.alloc(size);
                this.read(this.pixels, slot + PIXELS);
                if (this.long(slot + SEQ) === 2n * count) {
                    this.last = count;
                    this.width = this.header.getUint32(WIDTH, true);
                    this.height = this.header.getUint32(HEIGHT, true);
                    return true;
                }
            } else if (count === this.long(COUNT)) {
                return false; // counted in the generation before
            }
        }
        return false;
    }

    close() {
        if (this.file !== null) fs.closeSync(this.file);
        this.file = null;
    }

    // Takes what stands under the name now; keeps what is open if there is nothing.
    open() {
        if (performance.now() - this.looked < 100) return;
        this.looked = performance.now();
        let found;
        try {
            found = fs.openSync(this.path, "r");
        } catch (error) {
            return; // no show of that name yet
        }
        const head = Buffer.alloc(HEADER_SIZE);
        const length = fs.readSync(found, head, 0, HEADER_SIZE, 0);
        const header = new DataView(head.buffer, head.byteOffset, HEADER_SIZE);
        const end = header.getUint32(DATA_OFFSET, true) + header.getUint32(SLOTS, true) * Number(header.getBigUint64(SLOT_SIZE, true));
        if (length < HEADER_SIZE || head.toString("latin1", 0, 8) !== "SONOFMAP" || header.getUint32(VERSION, true) !== 1
            || head.toString("latin1", FOURCC, FOURCC + 4) !== "RGBA" || end > fs.fstatSync(found).size) {
            fs.closeSync(found);
            return;
        }
        this.close();
        this.file = found;
        this.header = header;
    }

    read(into, start) {
        let done = 0;
        while (done < into.byteLength) {
            const more = fs.readSync(this.file, into, done, into.byteLength - done, start + done);
            if (more === 0) throw new Error(this.path + " is shorter than its header says");
            done += more;
        }
    }

    number(start) {
        fs.readSync(this.file, this.word, 0, 4, start);
        return this.word.getUint32(0, true);
    }

    long(start) {
        fs.readSync(this.file, this.word, 0, 8, start);
        return this.word.getBigUint64(0, true);
    }
}

module.exports = { FrameMap };

if (require.main === module) {
    const reader = new FrameMap(process.argv[2]);
    let alive = null;
    setInterval(() => {
        if (reader.newest()) {
            fs.writeSync(1, `P7\nWIDTH ${reader.width}\nHEIGHT ${reader.height}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n`);
            for (let done = 0; done < reader.pixels.length;) done += fs.writeSync(1, reader.pixels, done);
        }
        if (reader.alive() !== alive) {
            alive = reader.alive();
            fs.writeSync(2, alive ? "live\n" : "no owner\n");
        }
    }, 1);
}
