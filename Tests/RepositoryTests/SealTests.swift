import BackstopCodecs
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// What a file names for what it stands for goes with how the file itself is stored, or nothing is done.
struct SealTests {
    /// `named`: as a file of format 5 has it.
    private static func inner(of outer: Seal?, _ named: String?) throws -> Seal? {
        var cipher = CipherSection()
        if let named { cipher.add("cipher", "cipher-pass", .string(named)) }
        return try Seal.inner(of: outer, cipher, format: 5, .all)
    }

    private static func outer() throws -> Seal {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        return try Seal(Encryption(cipher: "aes-256-cbc", passphrase: "outer"), registry)
    }

    @Test(arguments: [(false, nil, nil), (true, "inner", "inner")] as [(Bool, String?, String?)])
    func goTogether(_ isEncrypted: Bool, _ named: String?, _ expected: String?) throws {
        let inner = try Self.inner(of: isEncrypted ? try Self.outer() : nil, named)
        #expect(inner?.keys.keys == expected.map { ["0": CipherKey($0, .sha1)] })
        #expect(inner?.cipher == (isEncrypted ? "aes-256-cbc" : nil))
        #expect(try inner.encryption().count == (isEncrypted ? 1 : 0) && inner.decryption().count == (isEncrypted ? 1 : 0))
    }

    @Test(arguments: [(true, nil), (true, ""), (false, "inner"), (false, "")] as [(Bool, String?)])
    func half(_ isEncrypted: Bool, _ named: String?) throws {
        let outer = isEncrypted ? try Self.outer() : nil
        let error = #expect(throws: BackupError.self) { try Self.inner(of: outer, named) }
        #expect(error?.code.exitStatus == 95 && error?.hint != nil)
    }

    @Test func renewed() throws {
        let outer = try Self.outer()
        let (one, other) = (outer.renewed(), outer.renewed())
        let texts = [outer, one, other].compactMap { $0.keys.keys["0"]?.text }
        #expect(Set(texts).count == 3)
        #expect(texts[1].utf8.count == 64 && one.keys.keys["0"]?.derivation == .sha1)
    }

    /// The section is written and read by each kind of file.
    @Test func sectionIsKept() throws {
        let outer = try Self.outer()
        let history = DatabaseHistory(
            DatabaseHistory.Database(id: 1, identity: ClusterIdentity(systemID: 7_000_000_000_000_000_000, version: .v15)))
        let archive = ArchiveInfo(history: history, outer.renewed())
        let backup = BackupInfo(history: history, outer.renewed())
        let archiveBytes = try archive.bytes(try Golden.sha1(), version: "1")
        let backupBytes = try backup.bytes(try Golden.sha1(), version: "1")
        #expect(try ArchiveInfo(archiveBytes, try Golden.sha1(), in: outer).seal?.keys == archive.seal?.keys)
        #expect(try BackupInfo(backupBytes, try Golden.sha1(), in: outer).seal?.keys.keys == backup.seal?.keys.keys)
        #expect(throws: BackupError.self) { try ArchiveInfo(archiveBytes, try Golden.sha1(), in: nil) }
        #expect(throws: BackupError.self) { try BackupInfo(backupBytes, try Golden.sha1(), in: nil) }
    }
}
