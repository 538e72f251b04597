// Options that several commands have (cli.md section 1.3, General), and our own that belong there.

import BackstopCore

enum GeneralOptions {
    static let access = OptionKey<String>(
        .commandLine("access", .choice(["all", "read", "write"]), default: "all", ["serve"], "what a client may do")
            .details("read: change nothing. write: add, but neither remove nor read what is there, except info files."))
    static let type = OptionKey<String?>(
        .commandLine("type", .choice([]), ["backup", "info", "restore"], "kind of backup, or where recovery ends")
            .choicesByCommand([
                "backup": ["full", "diff", "incr"],
                "info": ["full", "diff", "incr"],
                "restore": ["default", "immediate", "lsn", "name", "none", "preserve", "standby", "time", "xid"],
            ])
            .defaultsByCommand(["backup": "incr", "restore": "default"])
            .details(
                """
                backup: everything (full), what changed since the last full (diff), or since the last backup of any kind (incr). \
                info: shows only backups of this kind. \
                restore: recovery goes to the end of the WAL (default), stops when the cluster is consistent (immediate) or at \
                --target (lsn, name, time, xid); standby keeps following; none writes no recovery settings, preserve keeps those \
                that are there.
                """))
    static let set = OptionKey<String?>(
        .commandLine(
            "set", .string, ["annotate", "expire", "info", "manifest", "restore", "verify"], "label of the backup meant"
        )
        .defaultsByCommand(["restore": "latest", "manifest": "latest"])
        .requiredBy(["annotate"])
        .whenFor("info", "stanza")
        .details("'info' lists the labels. 'latest' is the newest backup."))
    static let repo = OptionKey<Int?>(
        .commandLine("repo", .integer(1...256), CommandSets.oneRepository, "index of the only repository to use")
            .details("Without it backup uses the first, and what reads looks into all in turn."))
    static let force = OptionKey<Bool>(
        .commandLine(
            "force", .boolean, default: "n", ["backup", "restore", "stanza-create", "stanza-delete", "stop"],
            "go on where caution would stop"
        )
        .whenFor("backup", "online", "n")
        .details(
            """
            backup: with --no-online, although a postmaster.pid is there. restore: empties folders that are not empty. \
            stanza-delete: although PostgreSQL runs. stop: also ends what is running.
            """))
    static let online = OptionKey<Bool>(
        .commandLine("online", .boolean, default: "y", ["backup", "stanza-create", "stanza-upgrade"], "work with the running cluster")
            .negatable()
            .details("With --no-online the cluster has to be shut down; nothing connects to the database."))
    static let progress = OptionKey<String>(
        .global("progress", .choice(["auto", "always", "never"]), default: "auto", ["backup", "restore"], "show how far the run is")
            .details("auto shows a line on standard error when that is a terminal."))
    static let bufferSize = OptionKey<Int>(
        .global(
            "buffer-size",
            .size(16 * KiB...16 * MiB, allowed: [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384].map { $0 * KiB }),
            default: "1MiB", CommandSets.connected, "size of the buffers"
        )
        .details("Memory in which a worker copies, compresses and sends, for each step: up to four blocks of a quarter of it."))
    // The peer's own default, unlike all other folders: so commands of both programs on one host see each other's locks.
    static let lockPath = OptionKey<String>(
        .global("lock-path", .path, default: "/tmp/pgbackrest", CommandSets.locking, "folder of locks and stop files")
            .details("The same as pgBackRest uses, so that both programs do not work on one stanza at the same time."))
    static let spoolPath = OptionKey<String>(
        .global(
            "spool-path", .path, default: "/var/spool/pgbackstop", ["archive-get", "archive-push", "restore"], "folder for WAL on its way"
        )
        .peersDefault("/var/spool/pgbackrest")
        .details("A local folder that survives a restart; the states of asynchronous archiving are kept there."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "General",
        [
            access.spec, type.spec, set.spec, repo.spec, force.spec, online.spec, progress.spec, bufferSize.spec, lockPath.spec,
            spoolPath.spec,
        ])
}
