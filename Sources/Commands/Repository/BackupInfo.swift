// backup.info: the list of backups and the cluster they belong to (repository-format.md sections 2.6 and 2.7).

import BackstopCore

/// One line of the list. The object is kept as it was read, so keys of other versions survive a rewrite.
struct BackupSummary: Sendable {
    var label: BackupLabel
    var object: [String: JSON]

    /// Of its files; nil where it is not said.
    var format: Int? { object["backrest-format"]?.int.flatMap { Int(exactly: $0) } }
    var type: BackupType { BackupType(rawValue: object["backup-type"]?.string ?? "") ?? label.type }
    var prior: BackupLabel? { object["backup-prior"]?.string.flatMap { BackupLabel($0) } }
    var references: [BackupLabel]? { object["backup-reference"]?.array?.compactMap { $0.string.flatMap { BackupLabel($0) } } }
    var databaseID: Int { Int(object["db-id"]?.int ?? 0) }
    var archiveStart: String? { object["backup-archive-start"]?.string }
    var archiveStop: String? { object["backup-archive-stop"]?.string }
    var lsnStart: String? { object["backup-lsn-start"]?.string }
    var lsnStop: String? { object["backup-lsn-stop"]?.string }
    var timestampStart: Int64 { object["backup-timestamp-start"]?.int ?? 0 }
    var timestampStop: Int64 { object["backup-timestamp-stop"]?.int ?? 0 }
}

struct BackupInfo: Sendable {
    var history: DatabaseHistory
    /// Of the file, and of backups that are made from now on.
    let format: Int
    /// Of manifests; nil when the repository is not encrypted.
    let seal: Seal?
    private let cipher: CipherSection
    /// In the order of their labels.
    private(set) var backups: [BackupSummary] = []

    private static let systemKey = "db-system-id"

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
        var backups: [BackupSummary] = []
        format = try InfoFile.read(bytes, sha1) { (section, key, value) throws(BackupError) in
            cipher.add(section, key, value)
            if section == "backup:current" {
                guard let label = BackupLabel(key), let object = value.object else {
                    throw BackupError(.format, "entry '\(key)' of [backup:current] is not valid")
                }
                backups.append(BackupSummary(label: label, object: object))
            }
            try reader.add(section, key, value)
        }
        history = try reader.finish()
        seal = try Seal.inner(of: outer, cipher, format: format, .salted)
        self.cipher = cipher
        self.backups = backups.sorted { $0.label < $1.label }
    }

    func bytes(_ sha1: any Checksum, version: String) throws(BackupError) -> [UInt8] {
        var writer = InfoFileWriter(sha1, version: version, format: format)
        for backup in backups { writer.add("backup:current", backup.label.text, .object(backup.object)) }
        cipher.write(to: &writer)
        history.write(to: &writer, systemKey: Self.systemKey)
        return try writer.finish()
    }

    func backup(_ label: BackupLabel) -> BackupSummary? { backups.first { $0.label == label } }

    mutating func add(_ backup: BackupSummary) {
        backups.removeAll { $0.label == backup.label }
        backups.append(backup)
        backups.sort { $0.label < $1.label }
    }

    /// Removes a backup and all that depend on it, and answers their labels.
    mutating func remove(_ label: BackupLabel) -> [BackupLabel] {
        var gone: Set = [label]
        // A dependent's label sorts after its prior's, so one pass in order finds them all.
        for backup in backups { if let prior = backup.prior, gone.contains(prior) { gone.insert(backup.label) } }
        backups.removeAll { gone.contains($0.label) }
        return gone.sorted()
    }
}
