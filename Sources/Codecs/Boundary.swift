// Where spans become pointers: what the codecs share at their border to C.

import BackstopCore

/// Lends pointers to `input` and to the free part of `out` to one call of a C library. `body` answers how many bytes it took and gave.
@inline(__always)
func withPointers(
    _ input: RawSpan, _ out: inout OutputRawSpan,
    _ body: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) throws(BackupError) -> (taken: Int, given: Int)
) throws(BackupError) -> (taken: Int, given: Int) {
    try out.withUnsafeMutableBytes { (buffer, count) throws(BackupError) in
        let free = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
        let moved = try input.withUnsafeBytes { (bytes) throws(BackupError) in try body(bytes, free) }
        count += moved.given
        return moved
    }
}

/// Most bytes that are handed to a C library at once: the libraries count in 32 bits.
let largestPiece = 1 << 30

/// Room for a library that must be given more space than `out` has: what it wrote waits here. Empty nearly always, since the
/// buffers of the program are much larger.
struct Spill: ~Copyable {
    private var block: Block

    init(capacity: Int) { block = Block(capacity: capacity) }

    var isEmpty: Bool { block.count == 0 }

    mutating func clear() { block.clear() }

    /// Moves what waits to `out`.
    mutating func drain(into out: inout OutputRawSpan) {
        guard block.count > 0 else { return }
        let count = min(block.count, out.freeCapacity)
        block.withBytes { bytes in
            bytes.extracting(0..<count).withUnsafeBytes { out.append(contentsOf: $0) }
        }
        block.drop(count)
    }

    /// Lets `body`, which writes at most `most` bytes and answers how many, write straight to `out` when that has the room.
    /// Only when nothing waits.
    @inline(__always)
    mutating func write(
        into out: inout OutputRawSpan, atMost most: Int, _ body: (UnsafeMutableRawBufferPointer) throws(BackupError) -> Int
    ) throws(BackupError) {
        if out.freeCapacity >= most {
            try fill(&out, body)
        } else {
            try block.append { (room: inout OutputRawSpan) throws(BackupError) in try fill(&room, body) }
            drain(into: &out)
        }
    }
}

@inline(__always)
private func fill(
    _ out: inout OutputRawSpan, _ body: (UnsafeMutableRawBufferPointer) throws(BackupError) -> Int
) throws(BackupError) {
    try out.withUnsafeMutableBytes { (buffer, count) throws(BackupError) in
        count += try body(UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
    }
}

extension BackupError {
    static func truncated(_ format: String) -> BackupError {
        BackupError(.corrupt, "the \(format) stream is truncated: its end is missing")
    }

    static func trailing(_ format: String) -> BackupError {
        BackupError(
            .corrupt, "there are bytes after the end of the \(format) stream",
            hint: "a file of a repository is exactly one stream; what comes after it would be lost, so nothing is taken from this file.")
    }

    static func noContext(_ library: String) -> BackupError {
        BackupError(.assertion, "\(library) cannot make a context", hint: "is the host out of memory?")
    }
}

/// The end of a call of a decoder that accepts exactly one stream. `ended`: the library has seen the end of the stream.
func concludeSingleStream(
    _ format: String, input: Int, moved: (taken: Int, given: Int), ended: Bool, end: Bool
) throws(BackupError) -> Progress {
    if ended {
        // Done only at the end of the input: until then there may come bytes that must not be there.
        if moved.taken < input { throw .trailing(format) }
        return Progress(consumed: moved.taken, done: end)
    }
    if end && moved.taken == 0 && moved.given == 0 { throw .truncated(format) }
    return Progress(consumed: moved.taken, done: false)
}
