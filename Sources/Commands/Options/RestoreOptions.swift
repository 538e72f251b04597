// Options of restores (cli.md section 1.3, Restore).

import BackstopCore

enum RestoreOptions {
    static let archiveMode = OptionKey<String>(
        .global(
            "archive-mode", .choice(["preserve", "off"]), default: "preserve", CommandSets.restore, "whether the restored cluster archives"
        )
        .details("off keeps a copy of a cluster from writing into the archive of the original. Needs PostgreSQL 12."))
    static let dbInclude = OptionKey<[String]>(
        .global("db-include", .list, CommandSets.restore, "database to restore; others become empty")
            .details("Repeatable. Files of other databases become holes of the same size, to be dropped afterwards."))
    static let dbExclude = OptionKey<[String]>(
        .global("db-exclude", .list, CommandSets.restore, "database to leave empty").details("Repeatable. All others are restored."))
    static let linkAll = OptionKey<Bool>(
        .global("link-all", .boolean, default: "n", CommandSets.restore, "restore all symbolic links as links")
            .details("Otherwise what they point to is restored inside the data directory."))
    static let linkMap = OptionKey<[String: String]>(
        .global("link-map", .map, CommandSets.restore, "new target of a symbolic link").fileNames()
            .details("NAME=TARGET, repeatable, for example pg_xact=/fast/pg_xact."))
    static let tablespaceMap = OptionKey<[String: String]>(
        .global("tablespace-map", .map, CommandSets.restore, "new folder of a tablespace").fileNames()
            .details("NAME=FOLDER or OID=FOLDER, repeatable."))
    static let tablespaceMapAll = OptionKey<String?>(
        .global("tablespace-map-all", .string, CommandSets.restore, "folder under which all tablespaces go").fileNames()
            .details("Except those that tablespace-map names."))
    static let recoveryOption = OptionKey<[String: String]>(
        .global("recovery-option", .map, CommandSets.restore, "setting of the server for recovery")
            .when("type", "default", "immediate", "lsn", "name", "time", "standby", "xid")
            .details("NAME=VALUE, repeatable, for example primary_conninfo=host=db1."))
    static let plan = OptionKey<Bool>(
        .commandLine("plan", .boolean, default: "n", CommandSets.restore, "only tell what would be done")
            .details(
                """
                Nothing is written and no lock is taken. Tells which backup is chosen and why, how much is read and written, whether it fits, \
                whether the WAL is there, and the recovery settings. The exit status is that of the restore, as far as a look can tell.
                """))
    static let target = OptionKey<String?>(
        .commandLine("target", .string, CommandSets.restore, "where recovery ends")
            .when("type", "lsn", "name", "time", "xid").required()
            .details("As --type says: a position in the WAL, the name of a restore point, a time or a transaction."))
    static let targetAction = OptionKey<String>(
        .commandLine(
            "target-action", .choice(["pause", "promote", "shutdown"]), default: "pause", CommandSets.restore, "what the server does then"
        )
        .when("type", "immediate", "lsn", "name", "time", "xid")
        .details("pause lets you look first and go on with pg_wal_replay_resume()."))
    static let targetExclusive = OptionKey<Bool>(
        .commandLine("target-exclusive", .boolean, default: "n", CommandSets.restore, "end just before the target")
            .when("type", "lsn", "time", "xid").details("Otherwise what is exactly at the target is part of the result."))
    static let targetTimeline = OptionKey<String?>(
        .commandLine("target-timeline", .string, CommandSets.restore, "timeline to follow")
            .when("type", "default", "lsn", "name", "standby", "time", "xid")
            .details("current, latest, a decimal number, or a hexadecimal one after 0x."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "Restore",
        [
            archiveMode.spec, dbInclude.spec, dbExclude.spec, linkAll.spec, linkMap.spec, tablespaceMap.spec, tablespaceMapAll.spec,
            recoveryOption.spec, plan.spec, target.spec, targetAction.spec, targetExclusive.spec, targetTimeline.spec,
        ])
}
