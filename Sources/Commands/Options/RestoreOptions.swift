// Options of restores (cli.md section 1.3, Restore).

import BackstopCore

let restoreOptions = OptionSpec.section(
    "Restore",
    [
        .global(
            "archive-mode", .choice(["preserve", "off"]), default: "preserve", Commands.restore, "whether the restored cluster archives"
        )
        .details("off keeps a copy of a cluster from writing into the archive of the original. Needs PostgreSQL 12."),
        .global("db-include", .list, Commands.restore, "database to restore; others become empty")
            .details("Repeatable. Files of other databases become holes of the same size, to be dropped afterwards.").unsupported(),
        .global("db-exclude", .list, Commands.restore, "database to leave empty").details("Repeatable. All others are restored.")
            .unsupported(),
        .global("link-all", .boolean, default: "n", Commands.restore, "restore all symbolic links as links")
            .details("Otherwise what they point to is restored inside the data directory."),
        .global("link-map", .map, Commands.restore, "new target of a symbolic link").fileNames()
            .details("NAME=TARGET, repeatable, for example pg_xact=/fast/pg_xact."),
        .global("tablespace-map", .map, Commands.restore, "new folder of a tablespace").fileNames()
            .details("NAME=FOLDER or OID=FOLDER, repeatable."),
        .global("tablespace-map-all", .string, Commands.restore, "folder under which all tablespaces go").fileNames()
            .details("Except those that tablespace-map names."),
        .global("recovery-option", .map, Commands.restore, "setting of the server for recovery")
            .when("type", "default", "immediate", "lsn", "name", "time", "standby", "xid")
            .details("NAME=VALUE, repeatable, for example primary_conninfo=host=db1."),
        .commandLine("target", .string, Commands.restore, "where recovery ends")
            .when("type", "lsn", "name", "time", "xid").required()
            .details("As --type says: a position in the WAL, the name of a restore point, a time or a transaction."),
        .commandLine(
            "target-action", .choice(["pause", "promote", "shutdown"]), default: "pause", Commands.restore, "what the server does then"
        )
        .when("type", "immediate", "lsn", "name", "time", "xid")
        .details("pause lets you look first and go on with pg_wal_replay_resume()."),
        .commandLine("target-exclusive", .boolean, default: "n", Commands.restore, "end just before the target")
            .when("type", "lsn", "time", "xid").details("Otherwise what is exactly at the target is part of the result."),
        .commandLine("target-timeline", .string, Commands.restore, "timeline to follow")
            .when("type", "default", "lsn", "name", "standby", "time", "xid")
            .details("current, latest, a decimal number, or a hexadecimal one after 0x."),
    ])
