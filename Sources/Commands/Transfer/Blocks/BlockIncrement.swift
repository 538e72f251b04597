// A file of which only the blocks are stored that changed (repository-format.md section 6.2).

import BackstopCore

/// The stored form: super blocks of the changed blocks, and the map of all blocks. Nothing at all when no block changed, and of an empty file.
struct BlockIncrement: ByteSource, ~Copyable {
    /// What is known when the form has been read to its end.
    final class Outcome {
        /// Stored bytes of the map; nil: there is none, since nothing is stored.
        fileprivate(set) var mapSize: UInt64?
    }

    private var source: any ByteSource & ~Copyable
    private let prior: BlockMap?
    private let format: BlockFormat
    /// Bytes at which a super block is full.
    private let full: Int
    private let packing: Chain
    private let sealing: Chain
    private let outcome: Outcome

    private var input: Block
    private var hasEnded = false
    private var blocks: [BlockMap.Block] = []
    /// Content of the super block that is being filled, and its blocks among `blocks`.
    private var content: [UInt8] = []
    private var members: [Int] = []
    private var hasStored = false
    /// Where the next super block goes; its reference and bundle.
    private var place: BlockMap.SuperBlock
    private var ready: [UInt8] = []
    private var taken = 0

    /// `source`: the content. `prior`: what the earlier backup has of the file, cut in the same format. `superBlock`: bytes that are compressed
    /// together, at least. `reference`: index of the backup that is made. `offset`: where the form begins in `bundle`; 0 in a file of its own.
    /// `packing`, `sealing`: what is done to a super block and to a map, in raw framing.
    init(
        _ source: consuming any ByteSource & ~Copyable, onto prior: BlockMap?, _ format: BlockFormat, superBlock: UInt64, reference: Int,
        bundle: UInt64, offset: UInt64, packing: Chain, sealing: Chain, _ outcome: Outcome
    ) {
        self.source = source
        self.prior = prior
        self.format = format
        full = Int((superBlock + format.size - 1) / format.size * format.size)
        self.packing = packing
        self.sealing = sealing
        self.outcome = outcome
        outcome.mapSize = nil
        input = Block(capacity: Int(format.size))
        place = BlockMap.SuperBlock(reference: reference, bundle: bundle, offset: offset, stored: 0, plain: 0)
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        while taken == ready.count {
            if hasEnded { return false }
            (ready, taken) = ([], 0)
            try await step()
        }
        let count = min(ready.count - taken, out.freeCapacity)
        out.append(contentsOf: ready, taken..<taken + count)
        taken += count
        return !hasEnded || taken < ready.count
    }

    /// One block of the file, or its end.
    private mutating func step() async throws(BackupError) {
        input.clear()
        let more = try await input.fillWhole(from: &source)
        if input.count > 0 { add() }
        if content.count >= full { try await close() }
        if more { return }
        if !content.isEmpty { try await close() }
        try await finish()
        hasEnded = true
    }

    private mutating func add() {
        let index = blocks.count
        let checksum = input.withBytes { $0.withUnsafeBytes { format.checksum($0) } }
        if let prior, index < prior.blocks.count, prior.blocks[index].checksum == checksum {
            blocks.append(prior.blocks[index])
            return
        }
        blocks.append(BlockMap.Block(superBlock: place, number: UInt64(members.count), checksum: checksum))
        members.append(index)
        input.withBytes { $0.withUnsafeBytes { content.append(contentsOf: $0) } }
    }

    private mutating func close() async throws(BackupError) {
        place.plain = UInt64(content.count)
        var flow = try Flow(BytesSource(content), packing)
        let stored = try await flow.readAll(reserving: content.count)
        place.stored = UInt64(stored.count)
        for member in members { blocks[member].superBlock = place }
        place.offset += place.stored
        content.removeAll(keepingCapacity: true)
        members.removeAll(keepingCapacity: true)
        hasStored = true
        ready += stored
    }

    /// The map, unless the earlier one says the same.
    private mutating func finish() async throws(BackupError) {
        guard !blocks.isEmpty, hasStored || blocks.count != prior?.blocks.count else { return }
        var flow = try Flow(BytesSource(try BlockMapWriter.bytes(blocks, blockSize: format.size)), sealing)
        let map = try await flow.readAll()
        outcome.mapSize = UInt64(map.count)
        ready += map
    }
}
