// The commands of the program (cli.md section 1.1).

import BackstopCore

let commandTable: [CommandSpec] = [
    command(
        "backup", "Backup and restore", "back up a cluster",
        """
        Copies the cluster into one repository, by default the first, while the server runs. The WAL that the backup needs \
        has to be archived as well: 'check' tells whether it is. Schedule it with cron or a timer.
        """
    ) {
        $0.hasLogFile = true
    },
    command(
        "restore", "Backup and restore", "restore a cluster from a backup",
        """
        Copies a backup back into the data directory and its tablespaces, and tells the server how to recover. The server has to \
        be down, and the folders have to be empty unless --delta or --force is given.
        """
    ) {
        $0.allowsRoot = true
        $0.hasLogFile = true
    },
    command(
        "info", "Backup and restore", "list stanzas and their backups",
        "Shows all stanzas, or one with --stanza, or one backup with --set. The exit status is 0 whatever the state of the stanzas is."
    ) {
        $0.stanza = .optional
        $0.runLevel = .debug
    },
    command(
        "expire", "Backup and restore", "remove backups and WAL that retention lets go",
        "Applies the repo-retention options. 'backup' does the same at its end unless expire-auto=n."
    ) {
        $0.hasLogFile = true
        $0.isSupported = false
    },
    command("verify", "Backup and restore", "read what a repository has and check it", "Compares every file with its checksum.") {
        $0.hasLogFile = true
        $0.isSupported = false
    },
    command(
        "annotate", "Backup and restore", "add, change or remove notes of a backup",
        "The backup is named with --set, the notes with --annotation."
    ) {
        $0.isSupported = false
    },

    command(
        "archive-push", "WAL archive", "put a WAL segment into all repositories",
        "Goes into archive_command as: archive-push %p. A segment that is there already with the same content is fine."
    ) {
        $0.positional = [CommandSpec.Positional("WAL-PATH")]
    },
    command(
        "archive-get", "WAL archive", "get a WAL segment from a repository",
        "Goes into restore_command as: archive-get %f \"%p\"; 'restore' writes that itself. The exit status is 1 when no repository has it."
    ) {
        $0.positional = [CommandSpec.Positional("WAL-NAME"), CommandSpec.Positional("DESTINATION")]
    },

    command(
        "stanza-create", "Stanza", "prepare the repositories for a cluster",
        "Run it once for each stanza. Run again it changes nothing, and fails when the repository belongs to another cluster."
    ) {
        $0.hasLogFile = true
    },
    command(
        "stanza-upgrade", "Stanza", "tell the repositories that PostgreSQL was upgraded", "Run it after pg_upgrade, before the next backup."
    ) {
        $0.hasLogFile = true
        $0.isSupported = false
    },
    command("stanza-delete", "Stanza", "remove a stanza with all its backups and WAL", "Needs 'stop' first, and the server to be down.") {
        $0.hasLogFile = true
        $0.isSupported = false
    },
    command(
        "check", "Stanza", "check configuration, archiving and repositories",
        "Has the server switch to a new WAL segment and waits for it in each repository. Without --stanza all stanzas are checked."
    ) {
        $0.stanza = .optional
        $0.runsForEachStanza = true
        $0.vouchesFor = ["backup", "archive-push", "archive-get", "restore"]
    },
    command("start", "Stanza", "let commands run again", "Takes back what 'stop' did, for one stanza or without --stanza for all.") {
        $0.stanza = .optional
        $0.hasLogFile = true
    },
    command(
        "stop", "Stanza", "keep commands from running",
        "For one stanza, or without --stanza for all. Commands that run go on, unless --force ends them."
    ) {
        $0.stanza = .optional
        $0.hasLogFile = true
    },

    command("repo-ls", "Repository", "list what is in a repository", "A folder of the repository, or all of it.") {
        $0.stanza = .optional
        $0.positional = [CommandSpec.Positional("PATH", isOptional: true)]
        $0.runLevel = .debug
        $0.isSupported = false
    },
    command("repo-get", "Repository", "print a file of a repository", "Decrypted and decompressed, unless --raw is given.") {
        $0.stanza = .optional
        $0.positional = [CommandSpec.Positional("FILE")]
        $0.runLevel = .debug
        $0.isSupported = false
    },
    command("repo-rm", "Repository", "remove from a repository", "A file, or with --recurse a folder.") {
        $0.stanza = .optional
        $0.positional = [CommandSpec.Positional("PATH", isOptional: true)]
        $0.runLevel = .debug
        $0.isHidden = true
        $0.isSupported = false
    },
    command("manifest", "Repository", "show the manifest of a backup", "What the backup consists of.") {
        $0.runLevel = .debug
        $0.isHidden = true
        $0.isSupported = false
    },

    command(
        "driver", "Repository", "show and check storage drivers",
        """
        'driver list' shows what there is to store and to encode with, 'driver options NAME' the options of a driver, and \
        'driver check NAME' runs the checks of the storage contract against it, with the options of repo1, in a folder of its own.
        """
    ) {
        $0.stanza = .none
        $0.positional = [CommandSpec.Positional("ACTION"), CommandSpec.Positional("NAME", isOptional: true)]
        $0.actionOnRepositoryType = "check"
        $0.allowsRoot = true
        $0.runLevel = .debug
    },

    command(
        "serve", "Hosts", "serve a repository or a cluster to another host on standard input and output",
        """
        Started by ssh for a repository on another host (repo1-host) or, with --pg, for a cluster that another host backs up \
        (pg1-host). What its own command line says limits the client: --repo1-path and --pg1-path the folder, --stanza one stanza, \
        --access what may be done. Put that into a forced command of authorized_keys.
        """
    ) {
        $0.stanza = .optional
        $0.runLevel = .debug
    },
    command("server", "Hosts", "serve other hosts over TLS", "Runs in the foreground. HUP makes it read its configuration again.") {
        $0.stanza = .none
        $0.hasLogFile = true
        $0.isSupported = false
    },
    command("server-ping", "Hosts", "see whether a server answers", "Connects to a host, by default this one, without logging in.") {
        $0.stanza = .none
        $0.positional = [CommandSpec.Positional("HOST", isOptional: true)]
        $0.isSupported = false
    },

    command("help", "This program", "show help", "For the program, a command, or an option of a command, with its current value.") {
        $0.stanza = .none
        $0.positional = [CommandSpec.Positional("COMMAND", isOptional: true), CommandSpec.Positional("OPTION", isOptional: true)]
        $0.allowsRoot = true
        $0.runLevel = .debug
        $0.readsConfiguration = false
    },
    command(
        "version", "This program", "show the version",
        "With --output=num as a number that can be compared, with --verbose which program it is by any name."
    ) {
        $0.stanza = .none
        $0.allowsRoot = true
        $0.runLevel = .debug
        $0.readsConfiguration = false
    },
]

private func command(
    _ name: String, _ section: String, _ summary: String, _ details: String, _ more: (inout CommandSpec) -> Void
) -> CommandSpec {
    var command = CommandSpec(name, section: section, summary: summary, details: details)
    more(&command)
    return command
}
