-- Reads the pictures of a running sonorama show from shared memory: a program (luajit frame_map.lua sonorama), which
-- writes them to its output as PAM images, and a module for other scripts. For LuaJIT on 64-bit Linux.
-- The layout: docs/frame-map.md.

local ffi = require("ffi")

ffi.cdef [[
struct sono_header {
    char magic[8];
    uint32_t version, width, height, stride;
    char fourcc[4];
    uint32_t slots;
    uint64_t slot_size;
    uint32_t data_offset; volatile uint32_t generation; uint32_t owner, orientation;
    volatile int64_t heartbeat_ns;
    volatile uint64_t count;
};
struct sono_slot { volatile uint64_t seq; int64_t pts_ns, frame, sample; uint32_t flags; uint8_t unused[28]; };
struct sono_time { int64_t seconds, nanoseconds; };
int open(const char *path, int flags, ...);
int close(int file);
int64_t lseek(int file, int64_t offset, int whence);
void *mmap(void *address, size_t length, int protection, int flags, int file, int64_t offset);
int munmap(void *address, size_t length);
int clock_gettime(int clock, struct sono_time *now);
int nanosleep(const struct sono_time *time, struct sono_time *left);
]]

local FrameMap = {}
FrameMap.__index = FrameMap

local function now()  -- seconds of the monotonic clock
    local time = ffi.new("struct sono_time")
    ffi.C.clock_gettime(1, time)
    return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

function FrameMap.new(name)
    return setmetatable({path = "/dev/shm/sonorama-" .. name, last = 0, look = 0, size = 0}, FrameMap)
end

-- Whether a show writes the map that is open.
function FrameMap:alive()
    local map = self.map
    return map ~= nil and map.generation ~= 0 and now() - tonumber(map.heartbeat_ns) / 1e9 < 1
end

-- Take what stands under the name now; keep what is open if there is nothing.
function FrameMap:open()
    if now() < self.look then return end
    self.look = now() + 0.1
    local file = ffi.C.open(self.path, 0)
    if file < 0 then return end
    local length = ffi.C.lseek(file, 0, 2)
    local memory = length >= 4096 and ffi.C.mmap(nil, length, 1, 1, file, 0) or ffi.cast("void *", -1)
    ffi.C.close(file)
    if memory == ffi.cast("void *", -1) then return end
    local map = ffi.cast("const struct sono_header *", memory)
    if ffi.string(map.magic, 8) ~= "SONOFMAP" or map.version ~= 1 or ffi.string(map.fourcc, 4) ~= "RGBA"
        or map.data_offset + map.slots * map.slot_size > length then
        ffi.C.munmap(memory, length)
        return
    end
    self:close()
    self.memory, self.length, self.map = memory, length, map
end

function FrameMap:close()
    if self.map then ffi.C.munmap(self.memory, self.length) end
    self.map = nil
end

-- Copy the newest picture to self.pixels (self.height rows of self.width * 4 bytes); false if there is none but the one before.
function FrameMap:newest()
    if not self:alive() then self:open() end
    local map = self.map
    while map do
        local count = map.count
        if count == 0 or count == self.last then return false end
        local start = ffi.cast("const uint8_t *", map) + map.data_offset + (count - 1) % map.slots * map.slot_size
        local slot = ffi.cast("const struct sono_slot *", start)
        if slot.seq == 2 * count then
            local size = map.height * map.stride
            if size ~= self.size then self.size, self.pixels = size, ffi.new("uint8_t[?]", size) end
            ffi.copy(self.pixels, start + 64, size)
            if slot.seq == 2 * count then
                self.last, self.width, self.height = count, map.width, map.height
                return true
            end
        elseif count == map.count then
            return false  -- counted in the generation before
        end
    end
    return false
end

if not arg or not arg[1] then return FrameMap end  -- loaded by another script

local reader, alive = FrameMap.new(arg[1]), nil
local millisecond = ffi.new("struct sono_time", 0, 1000000)
io.stdout:setvbuf("full", 65536)
while true do
    if reader:newest() then
        io.stdout:write(("P7\nWIDTH %d\nHEIGHT %d\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"):format(reader.width, reader.height))
        io.stdout:write(ffi.string(reader.pixels, reader.size))
        io.stdout:flush()
    end
    if reader:alive() ~= alive then
        alive = reader:alive()
        io.stderr:write(alive and "live\n" or "no owner\n")
    end
    ffi.C.nanosleep(millisecond, nil)
end
