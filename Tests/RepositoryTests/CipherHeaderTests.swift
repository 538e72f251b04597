import BackstopCodecs
import EndToEndSupport
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// What stands in front of an encrypted object, by format-6.md section 3.
struct CipherHeaderTests {
    /// The beginning of an object, and what the next step of reading it is.
    @Test(
        arguments: [
            ("", .needs(8)), ("PGBR006", .needs(8)), ("Salted__", .header("0", 5, 8)), ("Salted__12345678", .header("0", 5, 8)),
            ("PGBR006_", .header("0", 6, 8)), ("PGBR005_", .header("0", 5, 8)), ("PGBR006K", .needs(9)), ("PGBR006K\u{1}", .needs(10)),
            ("PGBR006K\u{1}7", .header("7", 6, 10)), ("PGBR006K\u{2}10", .header("10", 6, 11)), ("PGBR006K\u{3}010", .header("010", 6, 12)),
            ("PGBR005K\u{1}1", .header("1", 5, 10)), ("PGBR006K\u{2}1", .needs(11)),
            ("PGBR006K\0", .fails(29, "invalid cipher header")), ("PGBR006X", .fails(29, "invalid cipher header")),
            ("PGBR0x6_", .fails(29, "invalid cipher header")), ("PGBR 06_", .fails(29, "invalid cipher header")),
            ("PGBR007_", .fails(29, "repository format 7 requires a newer version")),
            ("PGBR007X", .fails(29, "repository format 7 requires a newer version")),
            ("PGBR004K", .fails(29, "repository format 4 is no longer supported")),
            ("pgbr006_", .fails(95, "cipher header invalid")), ("salted__", .fails(95, "cipher header invalid")),
        ] as [(String, Expected)])
    func beginning(_ text: String, _ expected: Expected) throws {
        let bytes = Array(text.utf8)
        let isHeader = CipherHeader(beginning: bytes) != nil
        switch expected {
        case .needs(let count):
            #expect(try CipherHeader.read(bytes) == .needs(count))
            #expect(!isHeader)
        case .header(let id, let format, let size):
            guard case .header(let header) = try CipherHeader.read(bytes) else { return #expect(Bool(false), "no header") }
            #expect((header.keyID, header.format, header.size) == (id, format, size))
            #expect(isHeader)
        case .fails(let status, let words):
            let error = #expect(throws: BackupError.self) { try CipherHeader.read(bytes) }
            #expect(error?.code.exitStatus == status && error?.message.hasPrefix(words) == true, "\(error?.message ?? "none")")
            #expect(!isHeader)
        }
    }

    enum Expected: Sendable {
        case needs(Int)
        case header(String, Int, Int)
        case fails(Int32, String)
    }

    @Test func longestID() throws {
        let id = String(repeating: "9", count: 255)
        let bytes = Array("PGBR006K".utf8) + [255] + Array(id.utf8)
        #expect(bytes.count == CipherHeader.longest)
        #expect(try CipherHeader.read(Array(bytes.dropLast())) == .needs(CipherHeader.longest))
        #expect(CipherHeader(beginning: bytes)?.keyID == id)
    }

    /// A file of the archive of a stanza that was made in format 6 (key 1), and of one that was upgraded (keys 0 to 10), with other bytes in
    /// front of its salt.
    @Test(
        arguments: [
            ("format6-gz-cipher", "PGBR006K\u{1}1", nil, ""), ("format6-gz-cipher", "PGBR005K\u{1}1", nil, ""),
            ("format6-gz-cipher", "PGBR006K\u{2}99", 95, "unable to find cipher key '99'"),
            ("format6-gz-cipher", "PGBR006K\u{2}01", 95, "unable to find cipher key '01'"),
            ("format6-gz-cipher", "PGBR006_", 95, "unable to find cipher key '0'"),
            ("format6-gz-cipher", "Salted__", 95, "unable to find cipher key '0'"),
            ("format6-gz-cipher", "PGBR006K\0", 29, "invalid cipher header"),
            ("format6-gz-cipher", "PGBR006X", 29, "invalid cipher header"),
            ("format6-gz-cipher", "PGBR0y6K", 29, "invalid cipher header"),
            ("format6-gz-cipher", "PGBR007K\u{1}1", 29, "repository format 7 requires a newer version"),
            ("format6-gz-cipher", "PGBR004K\u{1}1", 29, "repository format 4 is no longer supported"),
            ("format6-gz-cipher", "something", 95, "cipher header invalid"),
            ("format6-rotated-cipher", "PGBR006K\u{2}10", nil, ""),
            ("format6-rotated-cipher", "PGBR006K\u{3}010", 95, "unable to find cipher key '010'"),
            ("format6-rotated-cipher", "PGBR006K\u{1}8", 95, "unable to decrypt"),
            ("format6-rotated-cipher", "PGBR006_", 95, "unable to decrypt"),
        ] as [(String, String, Int32?, String)])
    func archiveFile(_ name: String, _ header: String, _ status: Int32?, _ words: String) async throws {
        let golden = try GoldenRepository(name)
        let key = Key("archive/demo/15-1/00000002.history")
        let stored = try await golden.stanza.storage.read(key)
        let found = try #require(CipherHeader(beginning: stored))
        try await golden.stanza.storage.put(key, bytes: Array(header.utf8) + stored[found.size...])
        try await expect(golden, key, status, words)
    }

    /// What is cut before the ciphertext begins.
    @Test(arguments: ["", "Sal", "PGBR00", "PGBR006K", "PGBR006K\u{1}", "PGBR006K\u{1}1", "PGBR006K\u{1}11234567", "abc"])
    func short(_ text: String) async throws {
        let golden = try GoldenRepository("format6-gz-cipher")
        let key = Key("archive/demo/15-1/00000002.history")
        try await golden.stanza.storage.put(key, bytes: Array(text.utf8))
        try await expect(golden, key, 95, "cipher header missing")
    }

    private func expect(_ golden: GoldenRepository, _ key: Key, _ status: Int32?, _ words: String) async throws {
        let seal = try await golden.stanza.archiveInfo().seal
        do {
            let bytes = try await golden.stanza.repository.read(key, seal)
            #expect(status == nil && bytes == Array("1\t0/F00000\tbefore\n".utf8))
        } catch {
            #expect(error.code.exitStatus == status && error.message.hasPrefix(words), "\(error)")
        }
    }

    /// Manifests have the header of format 5 in each format, whatever the key is.
    @Test(arguments: ["PGBR006_", "PGBR005_", "PGBR006K\u{1}0", "PGBR007_"])
    func manifest(_ header: String) async throws {
        let golden = try GoldenRepository("format6-gz-cipher")
        let info = try await golden.stanza.backupInfo()
        let label = try #require(info.backups.first?.label)
        #expect(try await golden.stanza.manifest(label, info.seal).format == 6)
        let key = golden.stanza.layout.manifest(label)
        let stored = try await golden.stanza.storage.read(key)
        for suffix in ["", Layout.copySuffix] {
            try await golden.stanza.storage.put(key + suffix, bytes: Array(header.utf8) + stored[8...])
        }
        let error = await #expect(throws: BackupError.self) { try await golden.stanza.manifest(label, info.seal) }
        #expect(error?.code == .crypto && error?.message.contains("cipher header invalid") == true)
    }

    /// Also in pieces of a byte: a header is as long as it says.
    @Test(arguments: [1, 7, 19, 4096])
    func inPieces(_ size: Int) throws {
        let keys = CipherKeys(["10": CipherKey("text", .sha256), "0": CipherKey("other", .sha1)], .all)
        let raw = CipherKeys(["0": CipherKey("text", .sha256)], .salted)
        let plain = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        let driver = try Golden.registry().cipher("aes-256-cbc")
        let encoder = try driver.open(raw, .raw).encoder()
        let stored = Array("PGBR006K\u{2}10".utf8) + (try pass(plain, through: encoder, atATime: 4096))
        let decoder = try driver.open(keys, .normal).decoder()
        // Twice, with another key in between: a worker keeps its decoder.
        #expect(try pass(stored, through: decoder, atATime: size) == plain)
        try decoder.reset()
        let salted = try pass(plain, through: try driver.open(keys, .normal).encoder(), atATime: 4096)
        #expect(salted.starts(with: "Salted__".utf8))
        #expect(try pass(salted, through: decoder, atATime: size) == plain)
        try decoder.reset()
        #expect(try pass(stored, through: decoder, atATime: size) == plain)
    }

    private func pass(_ bytes: [UInt8], through transform: any Transform, atATime size: Int) throws -> [UInt8] {
        var result: [UInt8] = []
        var block = Block(capacity: 8192)
        var position = 0
        var isDone = false
        while !isDone {
            block.clear()
            let piece = Array(bytes[position..<min(position + size, bytes.count)])
            let end = position + piece.count == bytes.count
            var progress = Progress(consumed: 0, done: false)
            try block.append { (room: inout OutputRawSpan) throws(BackupError) in
                progress = try transform.process(piece.span.bytes, into: &room, end: end)
            }
            position += progress.consumed
            isDone = progress.done
            block.withBytes { span in span.withUnsafeBytes { result.append(contentsOf: $0) } }
        }
        return result
    }
}
