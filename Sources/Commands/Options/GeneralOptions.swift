// Options of the command line and of the process (cli.md section 1.3, General), and our own that belong there.

import BackstopCore

let generalOptions = OptionSpec.section(
    "General",
    [
        .commandLine("stanza", .string, Commands.stanza, "name of the cluster's definition")
            .required(except: ["check", "driver", "info", "serve", "start", "stop", "repo-get", "repo-ls", "repo-rm"])
            .details("Chooses the sections [STANZA] and [STANZA:COMMAND] of the configuration and the folders in the repository."),
        .commandLine("config", .string, default: "/etc/pgbackstop/pgbackstop.conf", Commands.readingFiles, "main configuration file")
            .negatable()
            .peersDefault("/etc/pgbackrest/pgbackrest.conf")
            .details(
                """
                A file named here must exist, and the folder of additional files is then read only if it is named too. \
                --no-config reads no file at all. Without a file of ours that of pgBackRest is read, and the log says so; under the name pgbackrest it is the other way round.
                """),
        .commandLine("config-path", .path, default: "/etc/pgbackstop", Commands.readingFiles, "folder of the configuration")
            .peersDefault("/etc/pgbackrest")
            .details("Moves the main file and the folder conf.d; neither has to exist."),
        .commandLine(
            "config-include-path", .path, default: "/etc/pgbackstop/conf.d", Commands.readingFiles,
            "folder with additional configuration files"
        )
        .peersDefault("/etc/pgbackrest/conf.d")
        .details("Its files *.conf are read in the order of their names, after the main file."),
        .global("config-strict", .boolean, default: "y", Commands.working, "refuse configuration files with unknown options")
            .details(
                """
                A misspelt option is as good as none, and nobody may notice until a restore. With n it is only a warning, which is \
                what pgBackRest does.
                """),
        .commandLine("plugins", .path, default: "/etc/pgbackstop/plugins.conf", Commands.working, "file that lists drivers and codecs")
            .details("What it does not list does not exist for this run. Without a file everything built in is there."),
        .commandLine("access", .choice(["all", "read", "write"]), default: "all", ["serve"], "what a client may do")
            .details("read: change nothing. write: add, but neither remove nor read what is there, except info files."),
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
                """),
        .commandLine(
            "set", .string, ["annotate", "expire", "info", "manifest", "restore", "verify"], "label of the backup meant"
        )
        .defaultsByCommand(["restore": "latest", "manifest": "latest"])
        .requiredBy(["annotate"])
        .whenFor("info", "stanza")
        .details("'info' lists the labels. 'latest' is the newest backup."),
        .commandLine("repo", .integer(1...256), Commands.oneRepository, "index of the only repository to use")
            .details("Without it backup uses the first, and what reads looks into all in turn."),
        .commandLine(
            "force", .boolean, default: "n", ["backup", "restore", "stanza-create", "stanza-delete", "stop"],
            "go on where caution would stop"
        )
        .whenFor("backup", "online", "n")
        .details(
            """
            backup: with --no-online, although a postmaster.pid is there. restore: empties folders that are not empty. \
            stanza-delete: although PostgreSQL runs. stop: also ends what is running.
            """),
        .commandLine("online", .boolean, default: "y", ["backup", "stanza-create", "stanza-upgrade"], "work with the running cluster")
            .negatable()
            .details("With --no-online the cluster has to be shut down; nothing connects to the database."),
        .commandLine(
            "output", .choice(["text", "json"]), default: "text", ["info", "manifest", "repo-ls", "verify", "version"], "form of the result"
        )
        .choicesByCommand(["verify": ["none", "text"], "version": ["text", "num"]])
        .defaultsByCommand(["verify": "none"])
        .details("text is for people and may change; json and num are for programs."),
        .global("allow-root", .boolean, default: "n", Commands.working, "permit to run as root")
            .defaultsByCommand(["restore": "y"])
            .details("Files made by root are out of reach for the database's own user, so most commands refuse."),
        .global("progress", .choice(["auto", "always", "never"]), default: "auto", ["backup", "restore"], "show how far the run is")
            .details("auto shows a line on standard error when that is a terminal."),
        .global("priority", .integer(-20...19), Commands.working, "nice value of the process")
            .details("From -20 (most urgent) to 19 (least). The system's own applies when unset."),
        .global(
            "buffer-size",
            .size(16 * KiB...16 * MiB, allowed: [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384].map { $0 * KiB }),
            default: "1MiB", Commands.connected, "size of the buffers"
        )
        .details("Blocks in which files are copied, compressed and sent. Each worker has a few of them."),
        .global("cmd", .string, Commands.workers, "this program, as others are to call it")
            .details("Goes into restore_command. Default is the program that runs."),
        .global("cmd-ssh", .string, default: "ssh", Commands.repository, "ssh client").details("Program that reaches other hosts."),
        .global("process-max", .integer(1...999), default: "1", Commands.workers, "number of workers")
            .details("How many files are copied and compressed at a time. A quarter of the processors is a good start."),
        .global("job-retry", .integer(0...360), default: "2", Commands.workers, "how often a failed file is tried again")
            .defaultsByCommand(["archive-get": "1", "archive-push": "1"])
            .details("The first repetition follows at once, the others after job-retry-interval."),
        .global("job-retry-interval", .time(0...15 * minute), default: "15s", Commands.workers, "pause between repetitions")
            .details("How long to wait before a failed file is tried again."),
        // The peer's own default, unlike all other folders: so commands of both programs on one host see each other's locks.
        .global("lock-path", .path, default: "/tmp/pgbackrest", Commands.locking, "folder of locks and stop files")
            .details("The same as pgBackRest uses, so that both programs do not work on one stanza at the same time."),
        .global(
            "spool-path", .path, default: "/var/spool/pgbackstop", ["archive-get", "archive-push", "restore"], "folder for WAL on its way"
        )
        .peersDefault("/var/spool/pgbackrest")
        .details("A local folder that survives a restart; the states of asynchronous archiving are kept there."),
        .global("neutral-umask", .boolean, default: "y", Commands.creatingFiles, "make files with modes that do not depend on the umask")
            .details("Folders get 0750 and files 0640. With n the umask of the caller applies."),
    ])

let timeoutOptions = OptionSpec.section(
    "General",
    [
        .global("db-timeout", .time(100...7 * day), default: "30m", Commands.databaseUser, "time that the database has to answer")
            .details("Includes the begin and the end of a backup, which may wait for a checkpoint."),
        .global("io-timeout", .time(100...hour), default: "1m", Commands.connected, "time to wait for data")
            .details("Applies to each read from or write to another host or process."),
        .global("protocol-timeout", .time(100...7 * day), default: "31m", Commands.speaking, "time that another process has to answer")
            .details("Has to be longer than db-timeout, because the other process may be waiting for the database."),
        .global("sck-keep-alive", .boolean, default: "y", Commands.connected, "keep idle connections alive")
            .details("Firewalls forget connections on which nothing happens."),
        .global("tcp-keep-alive-count", .integer(1...32), Commands.connected, "probes before a connection is given up")
            .when("sck-keep-alive", "y").details("The system's own when unset."),
        .global("tcp-keep-alive-idle", .integer(1...3600), Commands.connected, "seconds without traffic before the first probe")
            .when("sck-keep-alive", "y").details("The system's own when unset."),
        .global("tcp-keep-alive-interval", .integer(1...900), Commands.connected, "seconds between probes")
            .when("sck-keep-alive", "y").details("The system's own when unset."),
        .global("tls-cipher-12", .string, Commands.connected, "ciphers for TLS 1.2")
            .details("For object stores: a list as OpenSSL writes it; the library's own when unset."),
        .global("tls-cipher-13", .string, Commands.connected, "cipher suites for TLS 1.3")
            .details("For object stores: a list as OpenSSL writes it; the library's own when unset."),
        .commandLine("help", .boolean, default: "n", ["help"], "show help").details("The same as the command help."),
        .commandLine("version", .boolean, default: "n", ["help"], "show the version").details("The same as the command version."),
    ])
