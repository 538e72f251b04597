// The content of a block-incremental file, put together from the super blocks of several backups.

import BackstopCore

/// Gives the blocks of the map in order. Super blocks are decoded whole; those of late are kept, since neighbouring blocks of a file
/// alternate between the backups that changed them.
struct BlockSource: ByteSource, ~Copyable {
    private let storage: any Storage
    private let map: BlockMap
    private let blockSize: UInt64
    /// Where the super blocks of a reference and bundle are.
    private let key: (_ reference: Int, _ bundle: UInt64) -> Key
    private let chain: Chain
    private let readOver: UInt64
    /// One for each object that blocks come from: they alternate, but within one the offsets grow.
    private var readers: [Key: NeighbourReader] = [:]
    private var nextBlock = 0
    private var kept: [(superBlock: BlockMap.SuperBlock, content: [UInt8])] = []
    /// The part of the current block that was not given yet.
    private var current: ArraySlice<UInt8> = []

    /// Bytes that are kept besides the super block that is in use: a worker's memory does not depend on what a map says.
    private static let keptAtMost = 8 << 20

    /// `chain`: decodes one super block. `readOver`: gaps in bytes that are read rather than skipped.
    init(
        _ storage: any Storage, _ map: BlockMap, blockSize: UInt64, chain: Chain, readOver: UInt64, key: @escaping (Int, UInt64) -> Key
    ) {
        self.readOver = readOver
        self.storage = storage
        self.map = map
        self.blockSize = blockSize
        self.chain = chain
        self.key = key
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        while out.freeCapacity > 0 {
            if current.isEmpty {
                guard nextBlock < map.blocks.count else { return false }
                current = try await content(of: map.blocks[nextBlock])
                nextBlock += 1
            }
            let part = current.prefix(out.freeCapacity)
            part.withUnsafeBytes { out.append(contentsOf: $0) }
            current = current.dropFirst(part.count)
        }
        return !current.isEmpty || nextBlock < map.blocks.count
    }

    private mutating func content(of block: BlockMap.Block) async throws(BackupError) -> ArraySlice<UInt8> {
        let bytes = try await content(of: block.superBlock)
        let start = block.number * blockSize
        guard start < UInt64(bytes.count) else { throw BackupError(.corrupt, "block map points past the end of a super block") }
        return bytes[Int(start)..<Int(min(start + blockSize, UInt64(bytes.count)))]
    }

    private mutating func content(of superBlock: BlockMap.SuperBlock) async throws(BackupError) -> [UInt8] {
        if let index = kept.firstIndex(where: { $0.superBlock == superBlock }) { return kept[index].content }
        let key = key(superBlock.reference, superBlock.bundle)
        let reader = readers[key] ?? NeighbourReader(storage, readOver: readOver)
        readers[key] = reader
        let source = try await reader.open(key, superBlock.offset..<superBlock.offset + superBlock.stored) { endOfRun(superBlock) }
        var flow = try Flow(source, chain)
        let content: [UInt8]
        do throws(BackupError) {
            content = try await flow.readAll(limit: Int(superBlock.plain))
        } catch {
            throw error.during("super block at \(superBlock.offset) of '\(key)'")
        }
        guard UInt64(content.count) == superBlock.plain else {
            throw BackupError(
                .corrupt, "super block at \(superBlock.offset) of '\(key)' has \(content.count) bytes, expected \(superBlock.plain)")
        }
        var bytes = kept.reduce(0) { $0 + $1.content.count }
        while bytes > Self.keptAtMost { bytes -= kept.removeFirst().content.count }
        kept.append((superBlock, content))
        return content
    }

    /// Where the stored blocks end that follow `first` in its object and in the file.
    private func endOfRun(_ first: BlockMap.SuperBlock) -> UInt64 {
        var run = first.offset..<first.offset + first.stored
        var last = first
        for block in map.blocks[min(nextBlock, map.blocks.count)...].prefix(Self.lookedAhead) {
            let next = block.superBlock
            guard next != last, next.reference == first.reference, next.bundle == first.bundle else { continue }
            let range = next.offset..<next.offset + next.stored
            guard NeighbourReader.continues(run, range, readOver: readOver) else { break }
            run = run.lowerBound..<range.upperBound
            last = next
        }
        return run.upperBound
    }

    /// Blocks; at the usual 8 KiB more than a run holds.
    private static let lookedAhead = 4096
}
