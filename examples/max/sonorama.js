// For Max: sends the pictures of a running sonorama show to a jit.net.recv object. In the patcher, a node.script object
// with this file (node.script sonorama.js @autostart 1), and jit.net.recv @port 7474. Arguments: show, port.
// frame_map.js must lie beside it. The protocol: Jitter Networking Specification of the Max SDK.

const net = require("net");
const { FrameMap } = require("./frame_map.js");

const NAME = process.argv[2] || "sonorama";
const PORT = Number(process.argv[3] || 7474);
const DIMENSIONS = 32;
const HEADER_SIZE = 288;

// One matrix packet: chunk header, matrix header, and height rows of width cells of four char planes (ARGB).
function packet(pixels, width, height) {
    const out = Buffer.alloc(8 + HEADER_SIZE + pixels.length);
    out.write("JMTX", 0, "latin1");
    out.writeInt32LE(HEADER_SIZE, 4); // the one number here that is little-endian
    out.write("XTMJ", 8, "latin1"); // the ID once more, as a number of the other order: so Jitter writes it
    const numbers = [HEADER_SIZE, 4, 0, 2]; // size, planes, type char, dimensions
    const dim = [width, height], stride = [4, width * 4];
    for (const values of [dim, stride]) {
        for (let index = 0; index < DIMENSIONS; index++) numbers.push(index < 2 ? values[index] : 0);
    }
    numbers.push(pixels.length);
    numbers.forEach((number, index) => out.writeInt32BE(number, 12 + 4 * index));
    out.writeDoubleBE(performance.now(), HEADER_SIZE); // the last 8 bytes of the header
    argb(pixels, out, 8 + HEADER_SIZE);
    return out;
}

// RGBA to ARGB, a pixel at a time.
function argb(pixels, out, start) {
    const from = new DataView(pixels.buffer, pixels.byteOffset, pixels.length);
    const to = new DataView(out.buffer, out.byteOffset + start, pixels.length);
    for (let at = 0; at < pixels.length; at += 4) {
        const rgba = from.getUint32(at);
        to.setUint32(at, (rgba >>> 8) | (rgba << 24));
    }
}

const reader = new FrameMap(NAME);
let socket = null;
let free = true; // whether what was sent before has left; a slow receiver is given fewer pictures

function connect() {
    socket = net.connect(PORT, "127.0.0.1");
    socket.setNoDelay(true);
    free = true;
    socket.on("drain", () => { free = true; });
    socket.on("data", () => {}); // its answers, which tell how late it is
    socket.on("error", () => {}); // followed by close
    socket.on("close", () => { setTimeout(connect, 1000); });
}

connect();
setInterval(() => {
    if (free && socket.readyState === "open" && reader.newest()) {
        free = socket.write(packet(reader.pixels, reader.width, reader.height));
    }
}, 2);
