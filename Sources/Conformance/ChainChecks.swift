// Checks of codecs one after the other in a chain, as backup and restore use them; and of codecs by their levels.

public import BackstopCore

/// Codecs in the order of encoding.
public struct ChainSubject: ConformanceSubject {
    public let name: String
    /// The first is nearest to the plain bytes; decoding takes them the other way round.
    public let codecs: [any Codec]
    public let seed: UInt64

    public init(name: String, codecs: [any Codec], seed: UInt64 = freshSeed()) {
        self.name = name
        self.codecs = codecs
        self.seed = seed
    }

    fileprivate func encoding(blockSize: Int = 1 << 18) throws -> Chain {
        Chain(try codecs.map { .transform(try $0.encoder()) }, blockSize: blockSize)
    }

    fileprivate func decoding(blockSize: Int = 1 << 18) throws -> Chain {
        Chain(try codecs.reversed().map { .transform(try $0.decoder()) }, blockSize: blockSize)
    }
}

/// All bytes of `source` through `chain`, taken with `room` bytes at a time.
private func pull(_ source: consuming ScriptedSource, _ chain: Chain, room: Int = 1 << 16, stopAfter: Int = .max) async throws -> [UInt8] {
    var flow = try Flow(source, chain)
    var block = Block(capacity: room)
    var bytes: [UInt8] = []
    var more = true
    while more && bytes.count < stopAfter {
        block.clear()
        more = try await block.fill(from: &flow)
        try expect(!more || block.count > 0, "a flow gives no byte and says that there are more")
        block.withBytes { span in span.withUnsafeBytes { bytes.append(contentsOf: $0) } }
    }
    return bytes
}

/// All checks of codecs in a chain.
public let chainChecks: [Check<ChainSubject>] = [
    Check("round trip through a chain") { subject, random in
        for size in [0, 1, 16, 5000, 262_144, 2_000_003] {
            let bytes = random.compressibleBytes(size)
            let encoded = try await pull(ScriptedSource(bytes, &random), try subject.encoding())
            let decoded = try await pull(ScriptedSource(encoded, &random), try subject.decoding())
            try expectSame(decoded, bytes, "\(size) bytes")
        }
    },

    Check("blocks and buffers of a few bytes") { subject, random in
        let bytes = random.compressibleBytes(20_000)
        for (blockSize, room) in [(1, 1), (16, 3), (1, 1000), (5000, 1)] {
            var source = ScriptedSource(bytes, &random)
            source.pieces = 1...100
            source.endsLate = true
            let encoded = try await pull(source, try subject.encoding(blockSize: blockSize), room: room)
            var back = ScriptedSource(encoded, &random)
            back.pieces = 1...100
            back.endsLate = true
            let decoded = try await pull(back, try subject.decoding(blockSize: blockSize), room: room)
            try expectSame(decoded, bytes, "with blocks of \(blockSize) and room for \(room) bytes")
        }
    },

    Check("a truncated object is refused by the chain") { subject, random in
        let encoded = try await pull(ScriptedSource(random.compressibleBytes(500_000), &random), try subject.encoding())
        for cut in [1, 7, encoded.count - 3, encoded.count] {
            try await expectError(.corrupt, .crypto, from: "an object without its last \(cut) bytes") {
                _ = try await pull(ScriptedSource(encoded.dropLast(cut), &random), try subject.decoding())
            }
        }
    },

    Check("a chain serves one object after the other") { subject, random in
        let encoding = try subject.encoding()
        let decoding = try subject.decoding()
        for size in [300_000, 0, 5, 1_000_000, 4000] {
            let bytes = random.compressibleBytes(size)
            let encoded = try await pull(ScriptedSource(bytes, &random), encoding)
            let decoded = try await pull(ScriptedSource(encoded, &random), decoding)
            try expectSame(decoded, bytes, "\(size) bytes")
            // The next object comes after one that failed, one that nobody read to the end, one that was damaged.
            try await expectError(.io, from: "a flow whose source fails") {
                var failing = ScriptedSource(random.bytes(600_000), &random)
                failing.failsAt = 400_000
                _ = try await pull(failing, encoding)
            }
            _ = try await pull(ScriptedSource(random.bytes(600_000), &random), encoding, stopAfter: 100_000)
            _ = try? await pull(ScriptedSource(random.bytes(1001), &random), decoding)
        }
    },
]

extension CodecDriver: ConformanceSubject {
    public var seed: UInt64 { 1 }
}

/// All checks of what a codec says of its levels.
public let codecDriverChecks: [Check<CodecDriver>] = [
    Check("the default level is one of the levels") { driver, _ in
        try expect(driver.levels.contains(driver.defaultLevel), "\(driver.defaultLevel) is not in \(driver.levels)")
    },

    Check("levels outside of the range are refused") { driver, _ in
        for level in [driver.levels.lowerBound - 1, driver.levels.upperBound + 1, -1000, 1000] {
            for framing in [Framing.normal, .raw] {
                try await expectError(.invalid, from: "opening with level \(level)") { _ = try driver.open(level, framing).encoder() }
            }
        }
    },

    Check("every level is decoded without knowing it") { driver, random in
        let bytes = random.compressibleBytes(20_000)
        for framing in [Framing.normal, .raw] {
            let decoder = try driver.open(driver.defaultLevel, framing).decoder()
            for level in driver.levels {
                let encoded = try Run(bytes).through(try driver.open(level, framing).encoder())
                try decoder.reset()
                try expectSame(try Run(encoded).through(decoder), bytes, "level \(level)")
            }
        }
    },
]
