// Reads neighbouring ranges of one object through one source: of an object store every request costs a round trip.

import BackstopCore

/// Used by one worker, for one range after the other. A range that begins where the last one ended, or little after, needs no new request.
final class NeighbourReader {
    private let storage: any Storage
    /// Bytes that are rather read and dropped than skipped by a new request.
    private let readOver: UInt64
    private var source: (any ByteSource & ~Copyable)?
    private var key = Key.root
    private var position: UInt64 = 0
    private var end: UInt64 = 0
    private var block = Block(capacity: 64 << 10)

    /// More is not asked for at once, so that other workers have something to do.
    static let longestRun: UInt64 = 8 << 20

    /// Whether `next` belongs to a run that is `run` so far.
    static func continues(_ run: Range<UInt64>, _ next: Range<UInt64>, readOver: UInt64) -> Bool {
        next.lowerBound >= run.upperBound && next.lowerBound - run.upperBound <= readOver
            && next.upperBound - run.lowerBound <= longestRun
    }

    init(_ storage: any Storage, readOver: UInt64) {
        self.storage = storage
        self.readOver = readOver
    }

    /// The bytes of `range`. `until`: where the ranges end that are likely to be asked for next, at or after the end of this one.
    /// What was given before must not be read any more.
    func open(_ key: Key, _ range: Range<UInt64>, until: () -> UInt64) async throws(BackupError) -> NeighbourSource {
        if source == nil || self.key != key || range.lowerBound < position || range.lowerBound - position > readOver
            || range.upperBound > end
        {
            close()
            end = max(until(), range.upperBound)
            source = try await storage.open(key, range: range.lowerBound..<end)
            self.key = key
            position = range.lowerBound
        }
        while position < range.lowerBound {
            guard try await refill() else { break }
            take(min(UInt64(block.count), range.lowerBound - position))
        }
        return NeighbourSource(reader: self, left: UInt64(range.count))
    }

    /// Forgets what is open: after an error, or when nothing follows.
    func close() {
        source = nil
        block.clear()
    }

    private func take(_ count: UInt64) {
        block.drop(Int(count))
        position += count
    }

    /// Makes sure that there are bytes; false at the end.
    private func refill() async throws(BackupError) -> Bool {
        while block.count == 0 {
            guard source != nil else { return false }
            if try await !block.fill(from: &source!) { source = nil }
        }
        return true
    }

    fileprivate func read(into out: inout OutputRawSpan, atMost: UInt64) async throws(BackupError) -> UInt64 {
        guard atMost > 0, try await refill() else { return 0 }
        let count = min(block.count, out.freeCapacity, Int(min(atMost, UInt64(Int.max))))
        block.withBytes { bytes in bytes.extracting(0..<count).withUnsafeBytes { out.append(contentsOf: $0) } }
        take(UInt64(count))
        if position == end { try await seeEnd() }
        return UInt64(count)
    }

    /// A source that is dropped before it has said that it is at its end costs a driver in another process its connection.
    private func seeEnd() async throws(BackupError) {
        while source != nil, block.count == 0 {
            if try await !block.fill(from: &source!) { source = nil }
        }
    }
}

/// One range of a reader's object; shorter when the object is.
struct NeighbourSource: ByteSource, ~Copyable {
    fileprivate let reader: NeighbourReader
    fileprivate var left: UInt64

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        let count = try await reader.read(into: &out, atMost: left)
        left -= count
        return count > 0 && left > 0
    }
}
