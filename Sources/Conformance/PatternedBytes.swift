// Large objects that cost neither time nor memory to make and to compare.

import BackstopCore
import Glibc

/// Bytes that repeat with a length that divides nothing: a part that is lost, doubled or exchanged with another shows.
struct PatternedBytes: Sendable {
    private let pattern: [UInt8]

    init(_ random: inout Random) { pattern = random.bytes(1_048_573) }

    /// Appends up to `count` bytes from `position` on; answers how many.
    func append(from position: Int, atMost count: Int, to out: inout OutputRawSpan) -> Int {
        let start = position % pattern.count
        let count = min(count, pattern.count - start, out.freeCapacity)
        out.append(contentsOf: pattern, start..<start + count)
        return count
    }

    private func isSame(_ bytes: UnsafeRawBufferPointer, at position: Int) -> Bool {
        var taken = 0
        while taken < bytes.count {
            let start = (position + taken) % pattern.count
            let count = min(bytes.count - taken, pattern.count - start)
            let isSame = pattern.withUnsafeBytes { memcmp(bytes.baseAddress! + taken, $0.baseAddress! + start, count) == 0 }
            guard isSame else { return false }
            taken += count
        }
        return true
    }

    /// Wants `source` to give the bytes of `range`, and nothing more.
    func expect<Source: ByteSource & ~Copyable>(_ range: Range<Int>, from source: inout Source, _ what: String) async throws {
        var block = Block(capacity: 1 << 20)
        var position = range.lowerBound
        var more = true
        while more {
            block.clear()
            more = try await block.fill(from: &source)
            guard position + block.count <= range.upperBound else {
                throw Broken(reason: "\(what): more than the \(range.count) bytes come that were asked for")
            }
            let same = block.withBytes { span in span.withUnsafeBytes { isSame($0, at: position) } }
            guard same else { throw Broken(reason: "\(what): other bytes come back, after \(position)") }
            position += block.count
        }
        guard position == range.upperBound else {
            throw Broken(reason: "\(what): \(position - range.lowerBound) bytes come back of \(range.count)")
        }
    }
}

/// The first `size` of them.
struct PatternedSource: ByteSource, ~Copyable {
    private let bytes: PatternedBytes
    private let size: Int
    private var position = 0

    init(_ bytes: PatternedBytes, size: Int) {
        self.bytes = bytes
        self.size = size
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        position += bytes.append(from: position, atMost: size - position, to: &out)
        return position < size
    }
}
