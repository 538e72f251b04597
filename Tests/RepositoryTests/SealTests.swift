import BackstopCodecs
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// What a file names for what it stands for goes with how the file itself is stored, or nothing is done.
struct SealTests {
    private static func outer() throws -> Seal {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        return try Seal(Encryption(cipher: "aes-256-cbc", passphrase: "outer"), registry)
    }

    @Test(arguments: [(false, nil, nil), (true, "inner", "inner")] as [(Bool, String?, String?)])
    func goTogether(_ isEncrypted: Bool, _ named: String?, _ expected: String?) throws {
        let inner = try Seal.inner(of: isEncrypted ? try Self.outer() : nil, passphrase: named)
        #expect(inner?.passphrase == expected)
        #expect(inner?.cipher == (isEncrypted ? "aes-256-cbc" : nil))
        #expect(try inner.encryption().count == (isEncrypted ? 1 : 0) && inner.decryption().count == (isEncrypted ? 1 : 0))
    }

    @Test(arguments: [(true, nil), (true, ""), (false, "inner"), (false, "")] as [(Bool, String?)])
    func half(_ isEncrypted: Bool, _ named: String?) throws {
        let outer = isEncrypted ? try Self.outer() : nil
        let error = #expect(throws: BackupError.self) { try Seal.inner(of: outer, passphrase: named) }
        #expect(error?.code.exitStatus == 95 && error?.hint != nil)
    }

    @Test func renewed() throws {
        let outer = try Self.outer()
        let (one, other) = (outer.renewed(), outer.renewed())
        #expect(Set([outer.passphrase, one.passphrase, other.passphrase]).count == 3)
        #expect(one.passphrase.utf8.count == 64)
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
        #expect(try ArchiveInfo(archiveBytes, try Golden.sha1(), in: outer).seal?.passphrase == archive.seal?.passphrase)
        #expect(try BackupInfo(backupBytes, try Golden.sha1(), in: outer).seal?.passphrase == backup.seal?.passphrase)
        #expect(throws: BackupError.self) { try ArchiveInfo(archiveBytes, try Golden.sha1(), in: nil) }
        #expect(throws: BackupError.self) { try BackupInfo(backupBytes, try Golden.sha1(), in: nil) }
    }
}
