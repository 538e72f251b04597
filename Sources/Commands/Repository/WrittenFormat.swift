// What is refused because it would be written into a stanza of a format that is only read here (format-6.md sections 7 and 11).

import BackstopCore

extension RepositoryFormat {
    /// Throws `.format` (29) unless it is the one that is written here.
    static func requireWritten(_ format: Int, _ what: String = "the stanza") throws(BackupError) {
        guard format != written else { return }
        throw BackupError(
            .format, "\(what) is of repository format \(format), which \(Program.title) reads and does not write", hint: Self.hint)
    }

    static let hint =
        "use \(Program.peersTitle) 2.60 for all that writes into it: backup, expire, archive-push, annotate, stanza-create and stanza-upgrade."
        + "\ninfo, restore and archive-get of \(Program.title) read it."
}

extension StanzaRepository {
    /// Throws `.format` (29): a file of another format is not written over, and nothing is put beside it.
    func requireWritten(_ format: Int) throws(BackupError) {
        try RepositoryFormat.requireWritten(format, "\(name): stanza '\(stanza)'")
    }

    /// Throws `.fileInvalid` (28) when an upgrade of the format stopped between the two files.
    func requireSameFormat(_ archive: ArchiveInfo, _ backup: BackupInfo) throws(BackupError) {
        guard archive.format != backup.format else { return }
        throw BackupError(
            .fileInvalid,
            "\(name): backup info file and archive info file are at different repository formats"
                + "\narchive: format = \(archive.format)\nbackup : format = \(backup.format)",
            hint: "run stanza-upgrade with --\(name)-format=\(max(archive.format, backup.format)) to complete an interrupted upgrade."
                + "\n\(Program.peersTitle) 2.60 does that.")
    }

    /// Both, for a command that writes WAL or backups and info files.
    func requireWritten(_ archive: ArchiveInfo, _ backup: BackupInfo) throws(BackupError) {
        try requireSameFormat(archive, backup)
        try requireWritten(backup.format)
    }
}
