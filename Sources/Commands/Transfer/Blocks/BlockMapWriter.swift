// The text of a block map (repository-format.md section 6.3), the inverse of BlockMap's reader.

import BackstopCore

/// Writes what pgBackRest would write of the same blocks, byte by byte.
struct BlockMapWriter {
    private let blockSize: UInt64
    private var bytes: [UInt8] = []
    /// Of each reference that was met: its last super block, and the number after its last block in there.
    private var states: [Int: (last: BlockMap.SuperBlock, next: UInt64)] = [:]
    private var previousStored: UInt64 = 0

    private enum Run {
        static let isLast: UInt64 = 1
        // Of a reference that is met for the first time.
        static let hasBundle: UInt64 = 2, hasOffset: UInt64 = 4
        // Of a known one.
        static let isContinued: UInt64 = 2, isOnly: UInt64 = 4, hasGap: UInt64 = 4
    }

    private enum Super {
        static let isLast: UInt64 = 1, hasPlain: UInt64 = 2, isPart: UInt64 = 4
    }

    /// Blocks that follow each other in the file and in one super block.
    private typealias Part = ArraySlice<BlockMap.Block>

    private init(blockSize: UInt64) { self.blockSize = blockSize }

    /// `blocks`: of the whole file, never none. Throws `.assertion` for what no map can say.
    static func bytes(_ blocks: [BlockMap.Block], blockSize: UInt64) throws(BackupError) -> [UInt8] {
        var writer = BlockMapWriter(blockSize: blockSize)
        writer.varint(0)
        let runs = Self.runs(blocks)
        for (index, run) in runs.enumerated() { try writer.add(run, isLast: index == runs.count - 1) }
        return writer.bytes
    }

    /// Parts of one reference that follow each other in the file, and whose super blocks do where they are stored.
    private static func runs(_ blocks: [BlockMap.Block]) -> [[Part]] {
        var runs: [[Part]] = []
        var begin = 0
        for end in 1...blocks.count {
            let before = blocks[end - 1]
            if end < blocks.count, blocks[end].superBlock == before.superBlock, blocks[end].number == before.number + 1 { continue }
            let part = blocks[begin..<end]
            begin = end
            if let last = runs.last?.last?.first?.superBlock, let next = part.first?.superBlock, last.reference == next.reference,
                last.bundle == next.bundle, last.offset + last.stored == next.offset
            {
                runs[runs.count - 1].append(part)
            } else {
                runs.append([part])
            }
        }
        return runs
    }

    private mutating func add(_ run: [Part], isLast: Bool) throws(BackupError) {
        guard let first = run.first?.first?.superBlock else { return }
        var head = UInt64(first.reference) << 3 | (isLast ? Run.isLast : 0)
        var isContinued = false
        if let known = states[first.reference] {
            let end = known.last.offset + known.last.stored
            isContinued = known.last == first
            guard isContinued || (first.bundle == known.last.bundle && first.offset >= end) else {
                throw BackupError(.assertion, "blocks of backup \(first.reference) are not in the order of the file")
            }
            if isContinued {
                head |= Run.isContinued | (run.count == 1 ? Run.isOnly : 0)
                varint(head)
            } else {
                varint(head | (first.offset > end ? Run.hasGap : 0))
                if first.offset > end { varint(first.offset - end) }
            }
        } else {
            varint(head | (first.bundle != 0 ? Run.hasBundle : 0) | (first.offset != 0 ? Run.hasOffset : 0))
            if first.bundle != 0 { varint(first.bundle) }
            if first.offset != 0 { varint(first.offset) }
        }
        for (index, part) in run.enumerated() {
            add(part, isContinued: isContinued && index == 0, isLast: index == run.count - 1)
        }
    }

    private mutating func add(_ part: Part, isContinued: Bool, isLast: Bool) {
        guard let first = part.first else { return }
        let block = first.superBlock
        let known = states[block.reference]
        let skipped = first.number - (isContinued ? known?.next ?? 0 : 0)
        let isPart = isContinued || first.number != 0 || UInt64(part.count) != (block.plain - 1) / blockSize + 1
        if !isContinued {
            // A reference's first super block is measured against one block.
            let hasPlain = block.plain != known?.last.plain ?? blockSize
            let size =
                previousStored == 0 ? block.stored : Self.zigzag(Int64(bitPattern: block.stored &- previousStored))
            varint(size << 3 | (isLast ? Super.isLast : 0) | (hasPlain ? Super.hasPlain : 0) | (isPart ? Super.isPart : 0))
            if hasPlain {
                let remainder = block.plain % blockSize
                varint((block.plain / blockSize) << 1 | (remainder > 0 ? 1 : 0))
                if remainder > 0 { varint(remainder) }
            }
        }
        if isPart {
            varint((UInt64(part.count) - 1) << 1 | (skipped > 0 ? 1 : 0))
            if skipped > 0 { varint(skipped) }
        }
        for block in part { bytes += block.checksum }
        previousStored = block.stored
        states[block.reference] = (block, first.number + UInt64(part.count))
    }

    /// Seven bits a byte, the low ones first; the high bit says that more follow.
    private mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    private static func zigzag(_ value: Int64) -> UInt64 {
        value < 0 ? UInt64(bitPattern: ~(value << 1)) : UInt64(bitPattern: value << 1)
    }
}
