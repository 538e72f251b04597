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

    /// The ranges that are asked for when these, of one object and in order, are read one after the other and `end` is where the last ends
    /// that was planned: as `open` does it.
    static func requests(_ ranges: some Sequence<Range<UInt64>>, until end: UInt64, readOver: UInt64) -> [Range<UInt64>] {
        var requests: [Range<UInt64>] = []
        var position: UInt64 = 0
        for range in ranges {
            if let last = requests.last, !needsRequest(range, at: position, end: last.upperBound, readOver: readOver) {
                position = range.upperBound
                continue
            }
            requests.append(range.lowerBound..<max(end, range.upperBound))
            position = range.upperBound
        }
        return requests
    }

    /// Whether `range` is not to be had from what is open, of which the byte at `position` is the next and `end` the end.
    private static func needsRequest(_ range: Range<UInt64>, at position: UInt64, end: UInt64, readOver: UInt64) -> Bool {
        range.lowerBound < position || range.lowerBound - position > readOver || range.upperBound > end
    }

    init(_ storage: any Storage, readOver: UInt64) {
        self.storage = storage
        self.readOver = readOver
    }

    /// The bytes of `range`. `until`: where the ranges end that are likely to be asked for next, at or after the end of this one.
    /// What was given before must not be read any more.
    func open(_ key: Key, _ range: Range<UInt64>, until: () -> UInt64) async throws(BackupError) -> NeighbourSource {
        // The source may be at its end while what it gave is still in the block.
        if (source == nil && block.count == 0) || self.key != key || Self.needsRequest(range, at: position, end: end, readOver: readOver) {
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
