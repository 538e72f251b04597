import BackstopCodecs
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// The derivation of keys, by format-6.md section 4.
struct CipherKeyTests {
    private static let plain = Array("The quick brown fox".utf8)

    /// What `openssl enc -aes-256-cbc -K … -iv …` makes of the fox with the key and iv of each row of the table.
    @Test(
        arguments: [
            ("golden-pass", "0102030405060708", .sha1, "9063428426c25d3cb855a4b8ba51a673898a5e3948d447d7e9353f0f1d5b7074"),
            ("golden-pass", "0102030405060708", .sha256, "4533a39aa76ae2c212bfcec0dfec24778e2b3ba90505d042ad132b92dfccb4c5"),
            (
                "FBndv3x4VuBg+CIOgXWOv8i7oy5ShE6bAw5W3boOp/OGS5WrGConn/MxTnuYTvVt", "028088b015b70a36", .sha256,
                "cc3c0299095dc71df8f18d5312d4dd7d62598632d7551d0b7b2d48842d90dac5"
            ),
            (
                "bJX7VZRcjdQ0HWuUmRQKH2SK3InFvuD2KlGG6LHkxAP+Aay+1nbWekOZBZ/S+RxK", "0686e6381cefa6a0", .sha1,
                "f655b4f86e6e040e816cc544243112e18b54a68ce1ad736f0bc26bab0e112fad"
            ),
        ] as [(String, String, CipherKey.Derivation, String)])
    func table(_ text: String, _ salt: String, _ derivation: CipherKey.Derivation, _ encrypted: String) async throws {
        let keys = CipherKeys(["0": CipherKey(text, derivation)], .salted)
        #expect(try await decoded(salt + encrypted, keys, .raw) == Self.plain)
        #expect(try await decoded(hexadecimal("Salted__") + salt + encrypted, keys, .normal) == Self.plain)
        // The passphrase of a repository is derived as the header says.
        let header = derivation == .sha1 ? "Salted__" : "PGBR006_"
        #expect(try await decoded(hexadecimal(header) + salt + encrypted, CipherKeys(passphrase: text), .normal) == Self.plain)
        let other = derivation == .sha1 ? "PGBR006_" : "PGBR005_"
        await #expect(throws: BackupError.self) {
            try await decoded(hexadecimal(other) + salt + encrypted, CipherKeys(passphrase: text), .normal)
        }
    }

    /// Two whole objects as 2.60.0 wrote them.
    @Test(
        arguments: [
            (
                "10", "FBndv3x4VuBg+CIOgXWOv8i7oy5ShE6bAw5W3boOp/OGS5WrGConn/MxTnuYTvVt", .sha256,
                "504742523030364b023130028088b015b70a364223372eaf35186e89fb7f9562d7d4072e23142159e393b80c3a14453c323c5d"
            ),
            (
                "0", "bJX7VZRcjdQ0HWuUmRQKH2SK3InFvuD2KlGG6LHkxAP+Aay+1nbWekOZBZ/S+RxK", .sha1,
                "53616c7465645f5f0686e6381cefa6a0d8c65507fb5cf9e6cde275c9bbc7c5080d85b12f523e2cbc91d2e4305fe993d8"
            ),
        ] as [(String, String, CipherKey.Derivation, String)])
    func wholeObject(_ id: String, _ text: String, _ derivation: CipherKey.Derivation, _ object: String) async throws {
        let keys = CipherKeys([id: CipherKey(text, derivation), "1": CipherKey("another", .sha256)], .all)
        #expect(try await decoded(object, keys, .normal) == Array("1\t0/F00000\tbefore\n".utf8))
    }

    private func decoded(_ object: String, _ keys: CipherKeys, _ framing: Framing) async throws -> [UInt8] {
        let digits = Array(object)
        let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! }
        let decoder = try Golden.registry().cipher("aes-256-cbc").open(keys, framing).decoder()
        var flow = try Flow(BytesSource(bytes), Chain([.transform(decoder)]))
        return try await flow.readAll()
    }

    private func hexadecimal(_ text: String) -> String {
        text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
