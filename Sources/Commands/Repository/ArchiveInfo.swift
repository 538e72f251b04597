// archive.info: which cluster the WAL archive belongs to (repository-format.md section 2.5).

import BackstopCore

struct ArchiveInfo: Sendable {
    var history: DatabaseHistory
    /// Of the file, and of what is put into the archive from now on.
    let format: Int
    /// Of everything in the archive; nil when the repository is not encrypted.
    let seal: Seal?
    private let cipher: CipherSection

    private static let systemKey = "db-id"

    /// A new one.
    init(history: DatabaseHistory, _ seal: Seal?) {
        self.history = history
        self.seal = seal
        format = RepositoryFormat.written
        cipher = CipherSection(seal)
    }

    /// `outer`: the seal of the file itself. Throws `.crypto` when the file lacks the passphrase that it should name.
    init(_ bytes: [UInt8], _ sha1: any Checksum, in outer: Seal?) throws(BackupError) {
        var reader = DatabaseHistory.Reader(systemKey: Self.systemKey)
        var cipher = CipherSection()
        format = try InfoFile.read(bytes, sha1) { (section, key, value) throws(BackupError) in
            cipher.add(section, key, value)
            try reader.add(section, key, value)
        }
        history = try reader.finish()
        seal = try Seal.inner(of: outer, cipher, format: format, .all)
        self.cipher = cipher
    }

    func bytes(_ sha1: any Checksum, version: String) throws(BackupError) -> [UInt8] {
        var writer = InfoFileWriter(sha1, version: version, format: format)
        cipher.write(to: &writer)
        history.write(to: &writer, systemKey: Self.systemKey)
        return try writer.finish()
    }
}
