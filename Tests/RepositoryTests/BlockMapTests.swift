import EndToEndSupport
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Maps that pgBackRest wrote, and everything near them that is not a map.
struct BlockMapTests {
    @Test(arguments: AnnotatedMap.names)
    func saysWhatWasFoundByHand(_ name: String) throws {
        let golden = try AnnotatedMap(name)
        let map = try golden.map()
        #expect(golden.blocks.count > 2)
        #expect(map.blocks.count == golden.blocks.count)
        for (block, expected) in zip(map.blocks, golden.blocks) {
            let found = block.superBlock
            #expect([UInt64(found.reference), found.bundle, found.offset, found.stored, found.plain, block.number] == expected.0)
            #expect(hexadecimal(Array(block.checksum)) == expected.1)
        }
    }

    /// The blocks make up the file.
    @Test(arguments: AnnotatedMap.names)
    func coversTheFile(_ name: String) throws {
        let golden = try AnnotatedMap(name)
        #expect(UInt64(try golden.map().blocks.count) == (golden.fileSize + golden.blockSize - 1) / golden.blockSize)
    }

    /// A map that is cut anywhere, or followed by something, is no map.
    @Test(arguments: AnnotatedMap.names)
    func isWholeOrNothing(_ name: String) throws {
        let golden = try AnnotatedMap(name)
        for count in 0..<golden.bytes.count { #expect(throws: BackupError.self) { try golden.map(Array(golden.bytes.prefix(count))) } }
        for more: [UInt8] in [[0], [7], [255, 255, 255]] { #expect(throws: BackupError.self) { try golden.map(golden.bytes + more) } }
    }

    @Test(arguments: AnnotatedMap.names)
    func knowsAllItRefersTo(_ name: String) throws {
        let golden = try AnnotatedMap(name)
        let used = try golden.map().blocks.map(\.superBlock.reference).max()! + 1
        _ = try golden.map(references: used)
        for references in 0..<used { #expect(throws: BackupError.self) { try golden.map(references: references) } }
    }

    /// The newest backup of a golden map stored what the map says; nothing else than that does.
    @Test(arguments: AnnotatedMap.names)
    func saysWhatItsBackupStored(_ name: String) throws {
        let golden = try AnnotatedMap(name)
        let map = try golden.map()
        let own = golden.references - 1
        let newest = map.blocks.filter { $0.superBlock.reference == own }.map(\.superBlock)
        guard let first = newest.first, let last = newest.last else {
            // It cut the file, and stored the map alone.
            try map.check(own: own, bundle: 1, 500..<500, fileSize: golden.fileSize, blockSize: golden.blockSize)
            #expect(throws: BackupError.self) {
                try map.check(own: own, bundle: 1, 500..<501, fileSize: golden.fileSize, blockSize: golden.blockSize)
            }
            return
        }
        let range = first.offset..<last.offset + last.stored
        func check(own: Int, bundle: UInt64, _ range: Range<UInt64>, size: UInt64) throws {
            try map.check(own: own, bundle: bundle, range, fileSize: size, blockSize: golden.blockSize)
        }
        try check(own: own, bundle: first.bundle, range, size: golden.fileSize)
        let end = range.upperBound
        for (own, bundle, range, size) in [
            (own - 1, first.bundle, range, golden.fileSize), (own, first.bundle + 1, range, golden.fileSize),
            (own, first.bundle, range.lowerBound + 1..<end, golden.fileSize),
            (own, first.bundle, range.lowerBound..<end + 1, golden.fileSize),
            (own, first.bundle, range.lowerBound..<end - 1, golden.fileSize), (own + 1, first.bundle, range, golden.fileSize),
        ] {
            #expect(throws: BackupError.self) { try check(own: own, bundle: bundle, range, size: size) }
        }
        // The last block is one of it, so its size counts.
        if map.blocks.last?.superBlock.reference == own {
            #expect(throws: BackupError.self) { try check(own: own, bundle: first.bundle, range, size: golden.fileSize - 1) }
        }
    }

    /// Numbers at the ends of their range: flags, reference, bundle and offset, stored size, quotient of the plain size, checksums.
    @Test func extremeNumbers() throws {
        let largest: [UInt8] = [255, 255, 255, 255, 255, 255, 255, 127] // 2^56 - 1
        let tooLong: [UInt8] = [UInt8](repeating: 255, count: 9) + [1]
        let checksum = [UInt8](repeating: 1, count: 6)
        let cases: [[UInt8]] = [
            [], [0], [1], [0, 7], largest, tooLong, [0] + tooLong, [0] + largest,
            [0, 7, 1, 0] + largest + largest + checksum, // a super block of 2^53 bytes
            [0, 7, 1] + largest + [0x0B, 2] + [1, 1, 1], // checksum cut
            [0, 7, 1, 0, 0x03, 2] + checksum, // stores nothing
            [0, 7, 1, 0, 0x0B, 0] + checksum, // has no content
            [0, 7, 1, 0, 0x0F, 2] + largest + checksum, // as many blocks as that
            [0, 7, 1, 0, 0x0F, 2, 1] + largest + checksum, // a block far behind its super block
            [0, 7, 1, 0, 0x0F, 2, 3, 1] + checksum + checksum, // one block behind the end
        ]
        for bytes in cases {
            for (blockSize, checksumSize) in [(8192, 6), (1 << 29, 1), (8192, 16)] as [(UInt64, Int)] {
                #expect(throws: BackupError.self, "\(bytes)") {
                    try BlockMap(bytes, blockSize: blockSize, checksumSize: checksumSize, references: 1)
                }
            }
        }
    }

    /// Whatever the bytes: an error, or a map that can be used without a second look.
    @Test(arguments: AnnotatedMap.names, [11, 12] as [UInt64])
    func changedAnywhere(_ name: String, _ seed: UInt64) throws {
        let golden = try AnnotatedMap(name)
        var random = Seeded(seed)
        var parsed = 0
        for _ in 0..<1000 {
            let bytes = Mutation.bytes(golden.bytes, &random)
            let checksumSize = Int.random(in: 1...16, using: &random) < 14 ? 6 : Int.random(in: 1...16, using: &random)
            let blockSize = UInt64(1 << Int.random(in: 0...16, using: &random)) * 8192
            do throws(BackupError) {
                let map = try BlockMap(
                    bytes, blockSize: Bool.random(using: &random) ? golden.blockSize : blockSize, checksumSize: checksumSize,
                    references: golden.references)
                parsed += 1
                #expect(map.blocks.count <= bytes.count)
                for block in map.blocks {
                    let superBlock = block.superBlock
                    #expect(superBlock.reference < golden.references)
                    #expect(superBlock.stored > 0 && superBlock.plain > 0 && superBlock.plain <= 1 << 30)
                    #expect(!superBlock.offset.addingReportingOverflow(superBlock.stored).overflow)
                    #expect(block.number < superBlock.plain)
                    #expect(block.checksum.count == checksumSize)
                }
            } catch {
                #expect(error.code == .corrupt)
            }
        }
        #expect(parsed > 0)
    }
}
