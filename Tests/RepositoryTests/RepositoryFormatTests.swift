import BackstopCodecs
import EndToEndSupport
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Info files and manifests of formats 5 and 6, by format-6.md section 2: what they say, and what is refused.
struct RepositoryFormatTests {
    private static func outer() throws -> Seal {
        try Seal(Encryption(cipher: "aes-256-cbc", passphrase: "golden-pass"), try Golden.registry())
    }

    /// archive.info of that format with these lines in [cipher].
    private static func archiveInfo(_ format: String, _ cipher: [(String, String)]) throws -> [UInt8] {
        var writer = InfoFileWriter(try Golden.sha1())
        if let format = JSON(parsing: Array(format.utf8)) { writer.add("backrest", "backrest-format", format) }
        writer.add("backrest", "backrest-version", .string("2.60.0"))
        for (key, text) in cipher { writer.add("cipher", key, try #require(JSON(parsing: Array(text.utf8)), "\(text)")) }
        let identity = ClusterIdentity(systemID: 7_710_459_702_974_729_891, version: .v15)
        DatabaseHistory(.init(id: 1, identity: identity)).write(to: &writer, systemKey: "db-id")
        return try writer.finish()
    }

    private static let one = #"{"1":{"digest":"sha256","key":"one"}}"#

    // MARK: The number

    @Test(
        arguments: [
            ("5", nil), ("6", nil), ("7", "repository format 7 requires a newer version of"),
            ("4", "repository format 4 is no longer supported by"), ("", "repository format not found"),
            (#""6""#, "repository format not found"), ("-1", "repository format -1 is no longer supported"),
        ] as [(String, String?)])
    func number(_ format: String, _ words: String?) throws {
        let bytes = try Self.archiveInfo(format, [])
        if words == nil {
            let info = try ArchiveInfo(bytes, try Golden.sha1(), in: nil)
            #expect("\(info.format)" == format)
            // Written as it was read.
            #expect(try info.bytes(try Golden.sha1(), version: "2.60.0").count > 100)
            #expect(try ArchiveInfo(try info.bytes(try Golden.sha1(), version: "x"), try Golden.sha1(), in: nil).format == info.format)
        } else {
            let error = #expect(throws: BackupError.self) { try ArchiveInfo(bytes, try Golden.sha1(), in: nil) }
            #expect(error?.code == .format && error?.message.hasPrefix(words ?? "") == true, "\(error?.message ?? "none")")
        }
    }

    /// What is damaged is not said to be of another version.
    @Test func checksumFirst() throws {
        let text = String(decoding: try Self.archiveInfo("6", []), as: UTF8.self).replacing("backrest-format=6", with: "backrest-format=7")
        let error = #expect(throws: BackupError.self) { try ArchiveInfo(Array(text.utf8), try Golden.sha1(), in: nil) }
        #expect(error?.code == .checksum)
    }

    // MARK: The section [cipher]

    /// What is refused with 29 crashes the peer, or means that a file was put together of two.
    @Test(
        arguments: [
            ("5", #""text""#, nil, nil), ("6", one, #""1""#, nil), ("6", one, nil, nil), ("6", #""text""#, nil, 29), ("5", one, nil, 29),
            ("6", one, #""2""#, 29), ("6", one, "1", 29), ("6", "12", nil, 29), ("5", "12", nil, 29), ("6", "{}", nil, 95),
            ("5", #""""#, nil, 95), ("6", #"{"1":"text"}"#, nil, 29), ("6", #"{"1":{"key":"text"}}"#, nil, 29),
            ("6", #"{"1":{"digest":"sha256"}}"#, nil, 29), ("6", #"{"1":{"digest":"md5","key":"text"}}"#, nil, 29),
            ("6", #"{"1":{"digest":"sha256","key":""}}"#, nil, 29),
        ] as [(String, String, String?, Int32?)])
    func traps(_ format: String, _ pass: String, _ current: String?, _ status: Int32?) throws {
        let lines = [("cipher-pass", pass)] + (current.map { [("cipher-pass-current", $0)] } ?? [])
        let bytes = try Self.archiveInfo(format, lines)
        do {
            let info = try ArchiveInfo(bytes, try Golden.sha1(), in: try Self.outer())
            #expect(status == nil)
            #expect(info.seal?.keys.keys == (format == "5" ? ["0": CipherKey("text", .sha1)] : ["1": CipherKey("one", .sha256)]))
        } catch let error as BackupError {
            #expect(error.code.exitStatus == status && error.hint != nil, "\(error)")
        }
    }

    /// A line that is broken is not shown where it may hold a key.
    @Test func keysAreNotTold() throws {
        let text = String(decoding: try Self.archiveInfo("6", [("cipher-pass", Self.one)]), as: UTF8.self)
        for (line, isShown) in [("cipher-pass={", false), ("db-id=", true)] {
            let broken = text.replacing("\n\(line)", with: "\n\(line)?")
            let error = #expect(throws: BackupError.self) {
                try ArchiveInfo(Array(broken.utf8), try Golden.sha1(), in: try Self.outer())
            }
            #expect(error?.message.contains("is not a section or an entry") == true)
            #expect(error?.message.contains(line) == isShown, "\(error?.message ?? "none")")
        }
    }

    /// Also what other versions put there, in their order.
    @Test(
        arguments: [
            ("5", [("cipher-new", #"{"a":[1,"b"]}"#), ("cipher-pass", #""text""#), ("cipher-pass-x", "17")]),
            (
                "6",
                [
                    (
                        "cipher-pass",
                        #"{"0":{"digest":"sha1","key":"a","later":1},"1":{"digest":"sha256","key":"b"},"10":{"digest":"sha256","key":"c"},"2":{"digest":"sha256","key":"d"}}"#
                    ), ("cipher-pass-current", #""10""#), ("cipher-pass-rotate", "1795649158"),
                ]
            ),
        ] as [(String, [(String, String)])])
    func isKept(_ format: String, _ lines: [(String, String)]) throws {
        let bytes = try Self.archiveInfo(format, lines)
        let info = try ArchiveInfo(bytes, try Golden.sha1(), in: try Self.outer())
        #expect(try info.bytes(try Golden.sha1(), version: "2.60.0") == bytes)
        let other = String(decoding: bytes, as: UTF8.self).replacing(#"{"db-id":"#, with: #"{"db-system-id":"#)
        let backup = try BackupInfo(FixedChecksum.sign(Array(other.utf8)), FixedChecksum(), in: try Self.outer())
        let written = String(decoding: try backup.bytes(FixedChecksum(), version: "2.60.0"), as: UTF8.self)
        #expect(lines.allSatisfy { written.contains("\n\($0.0)=\($0.1)\n") }, "\(written)")
    }

    // MARK: The header against the content

    /// Content of one format behind a header of the other. The copy is as it was.
    @Test(arguments: [("format6-gz-cipher", "Salted__", 6, 5), ("format6-interrupted-cipher", "PGBR006_", 5, 6)])
    func mismatch(_ name: String, _ header: String, _ content: Int, _ named: Int) async throws {
        let golden = try GoldenRepository(name)
        let outer = try #require(golden.stanza.seal)
        let key = golden.stanza.layout.backupInfo
        let plain = try await golden.stanza.repository.read(key, outer)
        let derivation = named == 5 ? CipherKey.Derivation.sha1 : .sha256
        let keys = CipherKeys(["0": CipherKey("golden-pass", derivation)], .salted)
        let encoder = try Golden.registry().cipher("aes-256-cbc").open(keys, .raw).encoder()
        var flow = try Flow(BytesSource(plain), Chain([.transform(encoder)]))
        let changed = Array(header.utf8) + (try await flow.readAll())
        try await golden.stanza.storage.put(key, bytes: changed)
        #expect(try await golden.stanza.backupInfo().format == content)
        try await golden.stanza.storage.put(key + Layout.copySuffix, bytes: changed)
        let error = await #expect(throws: BackupError.self) { try await golden.stanza.backupInfo() }
        #expect(error?.code == .format)
        #expect(error?.message.hasSuffix("repository format \(content) does not match header format \(named)") == true, "\(error!)")
    }

    /// A header with an id is fine in an info file where it is that of the only key.
    @Test(arguments: [("PGBR006K\u{1}0", nil), ("PGBR006K\u{1}1", "unable to find cipher key '1'")] as [(String, String?)])
    func namedKey(_ header: String, _ words: String?) async throws {
        let golden = try GoldenRepository("format6-gz-cipher")
        let key = golden.stanza.layout.archiveInfo
        let stored = try await golden.stanza.storage.read(key)
        for suffix in ["", Layout.copySuffix] {
            try await golden.stanza.storage.put(key + suffix, bytes: Array(header.utf8) + stored[8...])
        }
        switch await (Result { () async throws(BackupError) in try await golden.stanza.archiveInfo() }) {
        case .success(let info): #expect(info.format == 6 && words == nil)
        case .failure(let error): #expect(error.code == .crypto && error.message.hasSuffix(words ?? "none"), "\(error)")
        }
    }

    // MARK: The golden repositories

    @Test(
        arguments: [
            ("format6-none", 6, 6, nil, nil), ("format6-gz-cipher", 6, 6, ["1"], "sha256"),
            ("format6-upgraded-cipher", 6, 6, ["0", "1"], "sha1"),
            ("format6-rotated-cipher", 6, 6, ["0", "1", "10", "2", "3", "4", "5", "6", "7", "8", "9"], "sha1"),
            ("format6-interrupted-cipher", 6, 5, ["0", "1"], "sha1"), ("tiny-bz2-cipher", 5, 5, ["0"], "sha1"),
        ] as [(String, Int, Int, [String]?, String?)])
    func golden(_ name: String, _ archive: Int, _ backup: Int, _ ids: [String]?, _ derivation: String?) async throws {
        let golden = try GoldenRepository(name, passphrase: ids == nil ? nil : "golden-pass")
        let archiveInfo = try await golden.stanza.archiveInfo()
        let info = try await golden.stanza.backupInfo()
        #expect((archiveInfo.format, info.format) == (archive, backup))
        #expect(archiveInfo.seal?.keys.keys.keys.sorted() == ids)
        #expect(info.seal?.keys.keys["0"]?.derivation?.rawValue == derivation)
        for summary in info.backups {
            let manifest = try await golden.stanza.manifest(summary.label, info.seal)
            #expect(manifest.format == summary.format && BackupSummary(manifest).format == summary.format)
            #expect(manifest.seal?.keys.keys["0"]?.derivation == (ids == nil ? nil : manifest.format == 5 ? .sha1 : .sha256))
        }
    }

    /// Of a repository with sets of both formats only those count that are of the format of backup.info.
    @Test func priors() async throws {
        let golden = try GoldenRepository("format6-upgraded-cipher")
        let info = try await golden.stanza.backupInfo()
        #expect(info.backups.compactMap(\.format) == [5, 5, 6, 6])
        #expect(BackupBase.candidates(.incr, info).map(\.label.text) == ["20261125-232619F_20261125-232621I", "20261125-232619F"])
        #expect(BackupBase.candidates(.diff, info).map(\.label.text) == ["20261125-232619F"])
        // As it was before the upgrade, with the set that came after it.
        var old = BackupInfo(history: info.history, nil)
        for summary in info.backups { old.add(summary) }
        #expect(BackupBase.candidates(.incr, old).map(\.label.text) == ["20261125-232616F_20261125-232617I", "20261125-232616F"])
    }
}
