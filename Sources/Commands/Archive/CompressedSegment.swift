// The compressed form of a segment that several repositories get.

import BackstopCore

/// Kept in memory, in pieces: made once, sealed and stored for each repository. They are arrays and not blocks, since any number of
/// readers share them.
struct CompressedSegment: Sendable {
    private let pieces: [[UInt8]]

    /// Bytes of a piece.
    private static let portion = 1 << 20
    /// Bytes. A segment that stays larger is read again for each repository instead.
    static let most = 64 << 20

    /// nil when it is too large. Throws `.checksum` when the bytes are not those that were summed.
    init?(_ content: SegmentContent, _ coding: ObjectCoding, atMost most: Int = most) async throws(BackupError) {
        var flow = try Flow(try await content.open(), Chain(try coding.compression()))
        var block = Block(capacity: Self.portion)
        var pieces: [[UInt8]] = []
        var goesOn = true
        var size = 0
        while goesOn {
            block.clear()
            goesOn = try await block.fillWhole(from: &flow)
            size += block.count
            if size > most { return nil }
            pieces.append(block.withBytes { $0.withUnsafeBytes { Array($0) } })
        }
        self.pieces = pieces
    }

    func open() -> Source { Source(pieces: pieces) }

    struct Source: ByteSource, ~Copyable {
        fileprivate let pieces: [[UInt8]]
        private var piece = 0
        private var position = 0

        fileprivate init(pieces: [[UInt8]]) { self.pieces = pieces }

        mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
            guard piece < pieces.count else { return false }
            let count = min(out.freeCapacity, pieces[piece].count - position)
            out.append(contentsOf: pieces[piece], position..<position + count)
            position += count
            if position == pieces[piece].count { (piece, position) = (piece + 1, 0) }
            return piece < pieces.count
        }
    }
}
