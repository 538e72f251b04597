// Commands that are known and not supported yet (cli.md section 1.1).

import BackstopCore

enum ComingCommands {
    static let expire = Command(
        coming: CommandSpec(
            "expire", "Backup and restore", "remove backups and WAL that retention lets go",
            "Applies the repo-retention options. 'backup' does the same at its end unless expire-auto=n."
        ) {
            $0.hasLogFile = true
        })
    static let verify = Command(
        coming: CommandSpec(
            "verify", "Backup and restore", "read what a repository has and check it", "Compares every file with its checksum."
        ) {
            $0.hasLogFile = true
        })
    static let annotate = Command(
        coming: CommandSpec(
            "annotate", "Backup and restore", "add, change or remove notes of a backup",
            "The backup is named with --set, the notes with --annotation."
        ))
    static let stanzaUpgrade = Command(
        coming: CommandSpec(
            "stanza-upgrade", "Stanza", "tell the repositories that PostgreSQL was upgraded",
            "Run it after pg_upgrade, before the next backup."
        ) {
            $0.hasLogFile = true
        })
    static let stanzaDelete = Command(
        coming: CommandSpec(
            "stanza-delete", "Stanza", "remove a stanza with all its backups and WAL", "Needs 'stop' first, and the server to be down."
        ) {
            $0.hasLogFile = true
        })
    static let repoLs = Command(
        coming: CommandSpec("repo-ls", "Repository", "list what is in a repository", "A folder of the repository, or all of it.") {
            $0.stanza = .optional
            $0.positional = [CommandSpec.Positional("PATH", isOptional: true)]
            $0.runLevel = .debug
        })
    static let repoGet = Command(
        coming: CommandSpec("repo-get", "Repository", "print a file of a repository", "Decrypted and decompressed, unless --raw is given.")
        {
            $0.stanza = .optional
            $0.positional = [CommandSpec.Positional("FILE")]
            $0.runLevel = .debug
        })
    static let repoRm = Command(
        coming: CommandSpec("repo-rm", "Repository", "remove from a repository", "A file, or with --recurse a folder.") {
            $0.stanza = .optional
            $0.positional = [CommandSpec.Positional("PATH", isOptional: true)]
            $0.runLevel = .debug
            $0.isHidden = true
        })
    static let manifest = Command(
        coming: CommandSpec("manifest", "Repository", "show the manifest of a backup", "What the backup consists of.") {
            $0.runLevel = .debug
            $0.isHidden = true
        })
    static let server = Command(
        coming: CommandSpec(
            "server", "Hosts", "serve other hosts over TLS", "Runs in the foreground. HUP makes it read its configuration again."
        ) {
            $0.stanza = .none
            $0.hasLogFile = true
        })
    static let serverPing = Command(
        coming: CommandSpec(
            "server-ping", "Hosts", "see whether a server answers", "Connects to a host, by default this one, without logging in."
        ) {
            $0.stanza = .none
            $0.positional = [CommandSpec.Positional("HOST", isOptional: true)]
        })
}
