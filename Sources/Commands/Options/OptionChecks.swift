// What holds across options once each has its value (cli.md section 1.10): derived values, warnings, refused combinations.

import BackstopCore
import Glibc

/// `registry`: the storage drivers that this build has.
func checkOptions(_ configuration: inout Configuration, _ registry: Registry) throws(BackupError) {
    try checkStanzaName(configuration)
    try checkChosenRepository(configuration)
    try checkRepositoryPaths(configuration, registry)
    try checkHosts(configuration, registry)
    try checkDrivers(configuration, registry)
    try checkFormat(configuration)
    try settleTimeouts(&configuration)
    replaceOldOptions(&configuration)
    if CommandSets.retaining.contains(configuration.command.name) { deriveRetention(&configuration) }
    nameRun(&configuration)
    if configuration.options[RestoreOptions.plan] { showPlan(&configuration) }
}

/// The name becomes a folder in the repository, a part of file names and a section: what breaks one of these is refused at once.
private func checkStanzaName(_ configuration: Configuration) throws(BackupError) {
    guard let stanza = configuration.stanza else { return }
    let isBroken = stanza.unicodeScalars.contains { $0 == "/" || $0 == ":" || $0 == "[" || $0 == "]" || $0.value < 0x20 }
    guard !isBroken, !stanza.hasPrefix("-"), !stanza.hasPrefix("."), stanza != "global", stanza != "all" else {
        throw BackupError(
            .optionInvalidValue, "'\(stanza)' is not allowed for option 'stanza'",
            hint: "a stanza's name is no path: without / : [ ], not beginning with - or a dot, and neither 'global' nor 'all'.")
    }
}

private func checkChosenRepository(_ configuration: Configuration) throws(BackupError) {
    guard let chosen = configuration.options[GeneralOptions.repo] else { return }
    let known = configuration.options.indexes(.repo)
    guard known.contains(Int(chosen)) else {
        throw BackupError(
            .optionInvalidValue, "'\(chosen)' is not allowed for option 'repo': there is no repo\(chosen)",
            hint: "configured: \(known.map { "repo\($0)" }.joined(separator: ", ")).")
    }
}

private func checkRepositoryPaths(_ configuration: Configuration, _ registry: Registry) throws(BackupError) {
    let options = configuration.options
    var owners: [String: Int] = [:]
    for index in options.indexes(.repo) where options[RepositoryHostOptions.host, index] == nil {
        guard registry.storages[options[PlaceOptions.type, index]]?.place == .thisHost else { continue }
        let path = options[PlaceOptions.path, index]
        if let other = owners.updateValue(index, forKey: path) {
            throw BackupError(
                .optionInvalidValue, "repo\(other)-path and repo\(index)-path are both '\(path)'",
                hint: "each repository needs a folder of its own.")
        }
    }
}

/// Where a command may run: some only beside the cluster, and not one between two other hosts whose configurations disagree.
private func checkHosts(_ configuration: Configuration, _ registry: Registry) throws(BackupError) {
    let options = configuration.options
    let command = configuration.command.name
    guard command != "serve", let cluster = options.indexes(.pg).first(where: { options.isGiven(ClusterHostOptions.host, $0) }) else {
        return
    }
    if !CommandSets.databaseHost.contains(command) {
        throw BackupError(
            .hostInvalid, "\(command) must be run on the host of the cluster, and pg\(cluster)-host says that this is another one",
            hint: "run it there, with a configuration that says repo1-host in place of pg\(cluster)-host.")
    }
    // A bare folder of another host needs no configuration there.
    if let repository = options.indexes(.repo).first(where: {
        options.isGiven(RepositoryHostOptions.host, $0) && registry.storages[options[PlaceOptions.type, $0]]?.place != .otherHost
    }) {
        throw BackupError(
            .config, "pg\(cluster)-host and repo\(repository)-host are both set, but one of them has to be this host",
            hint: "on the host of the repository set pg\(cluster)-host only, on that of the cluster repo\(repository)-host only.")
    }
}

private func checkDrivers(_ configuration: Configuration, _ registry: Registry) throws(BackupError) {
    for index in configuration.options.indexes(.repo) {
        try registry.storages[configuration.options[PlaceOptions.type, index]]?.check(
            configuration.options, index, configuration.command.name)
    }
}

/// Before anything is asked of a repository.
private func checkFormat(_ configuration: Configuration) throws(BackupError) {
    let options = configuration.options
    for index in options.indexes(.repo) where options[RepositoryOptions.format, index] != "\(RepositoryFormat.written)" {
        throw BackupError(
            .format,
            "option '\(RepositoryOptions.format.spec.fullName(index))' asks for repository format \(options[RepositoryOptions.format, index]), which \(Program.title) reads and does not write",
            hint: "make the stanza in format \(RepositoryFormat.written), which is the default, or with \(Program.peersTitle) 2.60.")
    }
}

/// Whoever waits for a process that waits for the database has to wait longer.
private func settleTimeouts(_ configuration: inout Configuration) throws(BackupError) {
    let options = configuration.options
    let (database, other) = (options[NetworkOptions.dbTimeout], options[NetworkOptions.protocolTimeout])
    guard options.source(NetworkOptions.dbTimeout) != nil, options.source(NetworkOptions.protocolTimeout) != nil, other <= database else {
        return
    }
    let margin = Duration.seconds(30)
    switch (options.isGiven(NetworkOptions.dbTimeout), options.isGiven(NetworkOptions.protocolTimeout)) {
    case (true, true):
        throw BackupError(
            .optionInvalidValue, "'\(timeText(other))' is not allowed for option 'protocol-timeout'",
            hint: "it has to be longer than db-timeout, which is \(timeText(database)).")
    case (_, true):
        let shorter = other > margin ? other - margin : other / 2
        configuration.options.derive(NetworkOptions.dbTimeout, .number(shorter.milliseconds))
    default:
        configuration.options.derive(NetworkOptions.protocolTimeout, .number((database + margin).milliseconds))
    }
}

private func replaceOldOptions(_ configuration: inout Configuration) {
    let options = configuration.options
    if options.isGiven(CodecOptions.compress) {
        let type = options[CodecOptions.compress] ? "gz" : "none"
        let text = "option 'compress' is old\nHINT: write compress-type=\(type) instead."
        // The peer takes it without a word.
        if configuration.dialect == .own { configuration.warnings.append(text) } else { configuration.notes.append(text) }
        if !options.isGiven(CodecOptions.compressType) {
            configuration.options.derive(CodecOptions.compressType, .text(type))
            if type == "none" { configuration.options.derive(CodecOptions.compressLevel, .number(0)) }
        }
    }
    if options.isGiven(BackupOptions.stopAuto) {
        configuration.warnings.append("option 'stop-auto' is old and has no effect\nHINT: take it out of the configuration.")
    }
}

private func deriveRetention(_ configuration: inout Configuration) {
    let options = configuration.options
    for index in options.indexes(.repo) {
        let full = options[RetentionOptions.full, index]
        let isTime = options[RetentionOptions.fullType, index] == "time"
        if full == nil {
            configuration.warnings.append(
                """
                option 'repo\(index)-retention-full' is not set: backups stay for ever and repo\(index) may run out of space
                HINT: set it to 9999999 to keep all of them without this warning.
                """)
        }
        guard options[RetentionOptions.archive, index] == nil else { continue }
        let derived: Int?
        switch options[RetentionOptions.archiveType, index] {
        case "full": derived = isTime ? nil : full
        case "diff": derived = options[RetentionOptions.diff, index] ?? (isTime ? nil : full)
        default:
            derived = nil
            configuration.warnings.append(
                """
                option 'repo\(index)-retention-archive' is not set although repo\(index)-retention-archive-type=incr: WAL will not expire
                HINT: say of how many backups the WAL is to stay.
                """)
        }
        if let derived {
            configuration.options.derive(RetentionOptions.archive, index: index, .number(Int64(derived)))
        }
    }
}

/// A plan is a page that is printed, as that of info: the log must not come in between, and no log file tells of a restore that was none.
private func showPlan(_ configuration: inout Configuration) {
    configuration.command.runLevel = .debug
    configuration.command.hasLogFile = false
}

/// Gives the run its name, the same in the log and in the locks.
private func nameRun(_ configuration: inout Configuration) {
    guard configuration.options[RunOptions.execID] == nil else { return }
    let run = "\(getpid())-" + String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16)
    configuration.options.derive(RunOptions.execID, .text(run))
}
