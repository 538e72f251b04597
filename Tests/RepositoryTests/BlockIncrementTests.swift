import EndToEndSupport
import Testing

@testable import BackstopCodecs
@testable import BackstopCommands
@testable import BackstopCore
@testable import BackstopDrivers

/// Maps that are written, and files that are put together again from what was stored of them.
struct BlockIncrementTests {
    /// Byte by byte what pgBackRest wrote of the same blocks.
    @Test(arguments: AnnotatedMap.names)
    func writesThePeersMaps(_ name: String) throws {
        let golden = try AnnotatedMap(name)
        #expect(try BlockMapWriter.bytes(golden.map().blocks, blockSize: golden.blockSize) == golden.bytes)
    }

    /// The example of repository-format.md section 6.1.
    @Test func checksum() {
        let bytes = Array("short tail".utf8)
        func digest(_ count: Int) -> String {
            hexadecimal(Array(bytes.withUnsafeBytes { BlockFormat(size: 8192, checksumSize: count).checksum($0) }))
        }
        #expect(digest(16) == "9a475c653b0a865766b0bc5209d26f20")
        #expect(digest(6) == "9a475c653b0a")
    }

    @Test(
        arguments: [
            ((16 << 10) - 1, 0, nil), (16 << 10, 0, (8, 6)), ((11 << 20) - 1, 0, (8, 6)), (11 << 20, 0, (16, 6)), (96 << 20, 0, (32, 7)),
            (1 << 30, 0, (88, 7)), (16 << 10, 7 * 86_400 - 1, (8, 6)), (16 << 10, 7 * 86_400, (16, 6)), (16 << 10, 14 * 86_400, (32, 7)),
            (1 << 30, 14 * 86_400, (352, 8)), (1 << 30, 28 * 86_400, nil), (16 << 10, -5, (8, 6)),
        ] as [(UInt64, Int64, (UInt64, Int)?)])
    func rules(_ size: UInt64, _ age: Int64, _ expected: (UInt64, Int)?) {
        let wanted = expected.map { BlockFormat(size: $0.0 << 10, checksumSize: $0.1) }
        #expect(BlockRules().format(size: size, age: age) == wanted)
    }

    // MARK: What comes back

    /// A chain of backups of one file, each onto the one before: every one of them comes back, after random changes, growth and truncation.
    @Test(arguments: (1...60).map { UInt64($0) })
    func everyVersionComesBack(_ seed: UInt64) async throws {
        var random = Seeded(seed)
        let format = BlockFormat(
            size: [8192, 16_384, 24_576].randomElement(using: &random)!, checksumSize: Int.random(in: 6...12, using: &random))
        let superBlock = UInt64([8192, 65_536, 1 << 20].randomElement(using: &random)!)
        let codec = seed % 3 == 0 ? nil : try codecs().codec(seed % 3 == 1 ? "zst" : "gz")
        let inBundle = seed % 2 == 0
        let storage = MemoryStorage()
        var content = bytes(Int.random(in: 1...400_000, using: &random), &random)
        var prior: BlockMap?
        for backup in 0..<8 {
            if backup > 0 { change(&content, Int(format.size), &random) }
            let place = (bundle: UInt64(inBundle ? backup + 1 : 0), offset: UInt64(inBundle ? Int.random(in: 0...5000, using: &random) : 0))
            let outcome = BlockIncrement.Outcome()
            let packing = try Chain(codec.map { [.transform(try $0.open($0.defaultLevel, .raw).encoder())] } ?? [])
            var form = BlockIncrement(
                BytesSource(content), onto: prior, format, superBlock: superBlock, reference: backup, bundle: place.bundle,
                offset: place.offset, packing: packing, sealing: Chain([]), outcome)
            let stored = try await form.readAll()
            let key = Key("\(backup)")
            try await storage.put(key, bytes: [UInt8](repeating: 7, count: Int(place.offset)) + stored)
            if let size = outcome.mapSize {
                #expect(!stored.isEmpty && size <= stored.count)
                prior = try BlockMap(
                    Array(stored.suffix(Int(size))), blockSize: format.size, checksumSize: format.checksumSize, references: backup + 1)
            } else {
                #expect(stored.isEmpty)
            }
            let map = try #require(prior)
            #expect(map.blocks.count == (content.count + Int(format.size) - 1) / Int(format.size))
            let decoder = try Chain(codec.map { [.transform(try $0.open($0.defaultLevel, .raw).decoder())] } ?? [])
            var back = BlockSource(storage, map, blockSize: format.size, chain: decoder, readOver: 4096) { reference, _ in
                Key("\(reference)")
            }
            let read = try await back.readAll()
            let isSame = read == content
            #expect(isSame, "backup \(backup)")
        }
    }

    @Test func nothingChanged() async throws {
        var random = Seeded(1)
        let content = bytes(50_000, &random)
        let format = BlockFormat(size: 8192, checksumSize: 6)
        func increment(_ content: [UInt8], onto prior: BlockMap?, _ reference: Int) async throws -> (stored: [UInt8], map: BlockMap?) {
            let outcome = BlockIncrement.Outcome()
            var form = BlockIncrement(
                BytesSource(content), onto: prior, format, superBlock: 1 << 20, reference: reference, bundle: 0, offset: 0,
                packing: Chain([]), sealing: Chain([]), outcome)
            let stored = try await form.readAll()
            let map = try outcome.mapSize.map { size throws in
                try BlockMap(Array(stored.suffix(Int(size))), blockSize: 8192, checksumSize: 6, references: reference + 1)
            }
            return (stored, map)
        }
        let first = try await increment(content, onto: nil, 0)
        #expect(try await increment(content, onto: first.map, 1).stored == [])
        #expect(try await increment([], onto: first.map, 1).stored == [])
        // Fewer blocks, none of them new: the map alone.
        let cut = try await increment(Array(content.prefix(3 * 8192)), onto: first.map, 1)
        #expect(cut.map?.blocks.count == 3 && cut.map?.blocks.allSatisfy { $0.superBlock.reference == 0 } == true)
        #expect(cut.stored.count < 40)
    }

    private func codecs() throws -> Registry {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        return registry
    }

    private func bytes(_ count: Int, _ random: inout Seeded) -> [UInt8] {
        // Half of it compresses.
        (0..<count).map { $0 % 100 < 50 ? UInt8.random(in: .min ... .max, using: &random) : 0 }
    }

    private func change(_ content: inout [UInt8], _ block: Int, _ random: inout Seeded) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: break
        case 1: content.removeLast(Int.random(in: 0..<content.count, using: &random))
        case 2: content.removeLast(content.count % block == 0 ? 0 : min(content.count - 1, content.count % block))
        case 3: content += bytes(Int.random(in: 1...100_000, using: &random), &random)
        default:
            for _ in 0..<Int.random(in: 1...6, using: &random) where !content.isEmpty {
                let begin = Int.random(in: 0..<content.count, using: &random)
                for place in begin..<min(content.count, begin + Int.random(in: 1...30_000, using: &random)) { content[place] &+= 1 }
            }
        }
    }
}
