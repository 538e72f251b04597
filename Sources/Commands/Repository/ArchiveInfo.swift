// archive.info: which cluster the WAL archive belongs to (repository-format.md section 2.5).

import BackstopCore

struct ArchiveInfo: Sendable {
    var history: DatabaseHistory
    /// Of everything in the archive; nil when the repository is not encrypted.
    var seal: Seal?

    private static let systemKey = "db-id"

    init(history: DatabaseHistory, _ seal: Seal?) {
        self.history = history
        self.seal = seal
    }

    /// `outer`: the seal of the file itself. Throws `.crypto` when the file lacks the passphrase that it should name.
    init(_ bytes: [UInt8], _ sha1: any Checksum, in outer: Seal?) throws(BackupError) {
        var reader = DatabaseHistory.Reader(systemKey: Self.systemKey)
        var passphrase: String?
        try InfoFile.read(bytes, sha1) { (section, key, value) throws(BackupError) in
            if section == "cipher", key == "cipher-pass" { passphrase = value.string }
            try reader.add(section, key, value)
        }
        self.init(history: try reader.finish(), try Seal.inner(of: outer, passphrase: passphrase))
    }

    func bytes(_ sha1: any Checksum, version: String) throws(BackupError) -> [UInt8] {
        var writer = InfoFileWriter(sha1, version: version)
        writer.add(seal)
        history.write(to: &writer, systemKey: Self.systemKey)
        return try writer.finish()
    }
}
