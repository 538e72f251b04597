import BackstopCodecs
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// What was stored tells how it is read.
struct ObjectCodingTests {
    private static let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 9) }

    private static func registry(without name: String? = nil) throws -> Registry {
        var all = Registry()
        registerBuiltinCodecs(in: &all)
        var registry = Registry()
        for codec in all.codecs.values where codec.name != name { registry.register(codec) }
        for cipher in all.ciphers.values { registry.register(cipher) }
        return registry
    }

    private func flow(_ bytes: [UInt8], _ steps: [Step]) async throws -> [UInt8] {
        var flow = try Flow(BytesSource(bytes), Chain(steps))
        return try await flow.readAll()
    }

    /// Forth and back with every codec, seal and framing; the reader has the name and the seal only, and so another level.
    @Test(arguments: ["none", "gz", "lz4", "zst", "bz2"], [false, true])
    func roundTrip(_ name: String, _ isSealed: Bool) async throws {
        let registry = try Self.registry()
        let codec = try registry.codec(name)
        let seal = isSealed ? try Seal(Encryption(cipher: "aes-256-cbc", passphrase: "secret"), registry) : nil
        let writing = ObjectCoding(codec, nil, level: codec.levels.lowerBound).sealed(by: seal)
        for framing in [Framing.normal, .raw] {
            let stored = try await flow(Self.bytes, try writing.encoder(framing))
            #expect((stored == Self.bytes) == !writing.changesBytes)
            // The halves make the same as the whole, but for the salt of the seal.
            let compressed = try await flow(Self.bytes, try writing.compression(framing))
            if !isSealed { #expect(compressed == stored) }
            let reading = try ObjectCoding(ofFile: "000000010000000000000003-abc\(codec.suffix)", registry, seal)
            #expect(reading.codec.name == name)
            for stored in [stored, try await flow(compressed, try writing.encryption(framing))] {
                #expect(try await flow(stored, try reading.decoder(framing)) == Self.bytes)
            }
        }
    }

    /// The names of files, and the codec by which each is read.
    @Test(
        arguments: [
            ("a", "none"), ("a.gz", "gz"), ("a.lz4", "lz4"), ("a.zst", "zst"), ("a.bz2", "bz2"), ("a.gz.zst", "zst"), ("gz", "none"),
            ("a.GZ", "none"), ("a.gzip", "none"), ("00000002.history", "none"),
        ])
    func ofFile(_ name: String, _ codec: String) throws {
        #expect(try ObjectCoding(ofFile: name, try Self.registry(), nil).codec.name == codec)
    }

    /// Of the format, but not allowed here or not in this build: an error that names it, never bytes as they are.
    @Test(arguments: [("a.gz", "gz"), ("a.xz", "xz")])
    func notAllowed(_ name: String, _ codec: String) {
        let error = #expect(throws: BackupError.self) { _ = try ObjectCoding(ofFile: name, try Self.registry(without: codec), nil) }
        #expect(error?.code == .unsupported && error?.message.contains("'\(codec)'") == true)
    }
}
