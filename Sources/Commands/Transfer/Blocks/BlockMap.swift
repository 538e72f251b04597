// The map of a block-incremental file: which block is where (repository-format.md section 6.3).

import BackstopCore

struct BlockMap: Sendable {
    /// A stored run of blocks that were compressed and encrypted together.
    struct SuperBlock: Sendable, Hashable {
        /// Index into the manifest's references.
        var reference: Int
        /// 0: the file's own `.pgbi`.
        var bundle: UInt64
        /// Absolute in the bundle or file.
        var offset: UInt64
        /// Stored bytes.
        var stored: UInt64
        /// Bytes after decoding.
        var plain: UInt64
    }

    struct Block: Sendable {
        var superBlock: SuperBlock
        /// Which block of the super block it is.
        var number: UInt64
        var checksum: ArraySlice<UInt8>
    }

    /// Bytes. A writer closes a super block when it has as many or more, the last block included.
    private static let fullSuperBlock: UInt64 = 16 << 20

    /// The i-th is block i of the file.
    private(set) var blocks: [Block] = []

    /// `bytes`: the decoded map. `blockSize` in bytes, `checksumSize` bytes of a block's checksum.
    /// Throws `.corrupt` for anything that is not a whole map.
    init(_ bytes: [UInt8], blockSize: UInt64, checksumSize: Int, references: Int) throws(BackupError) {
        var reader = VarintReader(bytes)
        var states: [Int: State] = [:]
        var previousStored: UInt64 = 0
        guard try reader.varint() & 1 == 0 else { throw reader.corrupt }
        while true {
            let head = try reader.varint()
            let isLastRun = head & 1 != 0
            guard let reference = Int(exactly: head >> 3), reference < references else { throw reader.corrupt }
            var isContinued = false
            var isOnly = false
            var state: State
            if let known = states[reference] {
                state = known
                isContinued = head & 2 != 0
                if isContinued {
                    isOnly = head & 4 != 0
                } else {
                    state.offset = try reader.sum(state.offset, state.stored, head & 4 != 0 ? try reader.varint() : 0)
                }
            } else {
                state = State(plain: blockSize)
                if head & 2 != 0 { state.bundle = try reader.varint() }
                if head & 4 != 0 { state.offset = try reader.varint() }
            }
            var isFirst = true
            while true {
                var isLast = isOnly
                var isPart = true
                if !(isContinued && isFirst) {
                    let super_ = try reader.varint()
                    isLast = super_ & 1 != 0
                    isPart = super_ & 4 != 0
                    if !isFirst { state.offset = try reader.sum(state.offset, state.stored) }
                    let size = super_ >> 3
                    state.stored = try reader.stored(size, after: previousStored)
                    if super_ & 2 != 0 {
                        let quotient = try reader.varint()
                        state.plain = try reader.sum(
                            try reader.product(quotient >> 1, blockSize), quotient & 1 != 0 ? try reader.varint() : 0)
                    }
                    state.next = 0
                }
                previousStored = state.stored
                guard state.plain > 0, state.plain <= Self.fullSuperBlock + blockSize else { throw reader.corrupt }
                let whole = (state.plain - 1) / blockSize + 1
                var count = whole
                if isPart {
                    let text = try reader.varint()
                    count = (text >> 1) + 1
                    if text & 1 != 0 { state.next = try reader.sum(state.next, try reader.varint()) }
                }
                let superBlock = SuperBlock(
                    reference: reference, bundle: state.bundle, offset: state.offset, stored: state.stored, plain: state.plain)
                _ = try reader.sum(state.offset, state.stored)
                guard count <= UInt64(bytes.count), state.stored > 0, try reader.sum(state.next, count) <= whole else {
                    throw reader.corrupt
                }
                for number in 0..<count {
                    blocks.append(Block(superBlock: superBlock, number: state.next + number, checksum: try reader.bytes(checksumSize)))
                }
                state.next += count
                isFirst = false
                if isLast { break }
            }
            states[reference] = state
            if isLastRun { break }
        }
        guard reader.isAtEnd else { throw reader.corrupt }
    }

    private struct State {
        var plain: UInt64
        var bundle: UInt64 = 0
        var offset: UInt64 = 0
        var stored: UInt64 = 0
        var next: UInt64 = 0
    }
}

extension BlockMap {
    /// Throws `.corrupt` unless what the map says of the backup that wrote it is what that backup stored: its super blocks fill their place, one after
    /// the other, and have all of their blocks here. What it says of earlier backups only their own maps could tell.
    /// `own`: index of that backup; `bundle`: where it stored the file; `range`: in there, without the map. `fileSize`, `blockSize` in bytes.
    func check(own: Int, bundle: UInt64, _ range: Range<UInt64>, fileSize: UInt64, blockSize: UInt64) throws(BackupError) {
        var offset = range.lowerBound
        var current: SuperBlock?
        var (next, content): (UInt64, UInt64) = (0, 0)
        func close() throws(BackupError) {
            guard content == current?.plain ?? 0 else {
                throw lie("has a super block of \(current?.plain ?? 0) bytes with \(content) bytes of blocks")
            }
        }
        for (index, block) in blocks.enumerated() {
            let superBlock = block.superBlock
            guard superBlock.reference <= own else { throw lie("refers to a backup that is later than its own") }
            guard superBlock.reference == own else { continue }
            if superBlock != current {
                try close()
                guard superBlock.bundle == bundle, superBlock.offset == offset else {
                    throw lie("has a super block where its backup stored none")
                }
                (current, next, content, offset) = (superBlock, 0, 0, superBlock.offset + superBlock.stored)
            }
            guard block.number == next else { throw lie("does not have all blocks of a super block") }
            next += 1
            content += min(blockSize, fileSize - UInt64(index) * blockSize)
        }
        try close()
        guard offset == range.upperBound else { throw lie("does not end where its super blocks do") }
    }

    private func lie(_ text: String) -> BackupError { BackupError(.corrupt, "block map \(text)") }
}

/// Numbers of 7 bits a byte, and arithmetic that does not trust them.
private struct VarintReader {
    private let source: [UInt8]
    private var position = 0

    init(_ source: [UInt8]) { self.source = source }

    var isAtEnd: Bool { position == source.count }
    var corrupt: BackupError { BackupError(.corrupt, "block map is damaged at byte \(position)") }

    mutating func varint() throws(BackupError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < source.count, shift < 56 {
            let byte = source[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        throw corrupt
    }

    mutating func bytes(_ count: Int) throws(BackupError) -> ArraySlice<UInt8> {
        guard count <= source.count - position else { throw corrupt }
        defer { position += count }
        return source[position..<position + count]
    }

    func sum(_ values: UInt64...) throws(BackupError) -> UInt64 {
        var total: UInt64 = 0
        for value in values {
            let (sum, overflow) = total.addingReportingOverflow(value)
            if overflow { throw corrupt }
            total = sum
        }
        return total
    }

    func product(_ a: UInt64, _ b: UInt64) throws(BackupError) -> UInt64 {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        if overflow { throw corrupt }
        return product
    }

    /// The first size is written as it is, later ones as a zigzag difference.
    func stored(_ size: UInt64, after previous: UInt64) throws(BackupError) -> UInt64 {
        if previous == 0 { return size }
        let difference = size & 1 == 0 ? Int64(size >> 1) : -Int64(size >> 1) - 1
        guard let before = Int64(exactly: previous) else { throw corrupt }
        let (sum, overflow) = before.addingReportingOverflow(difference)
        guard !overflow, sum > 0 else { throw corrupt }
        return UInt64(sum)
    }
}
