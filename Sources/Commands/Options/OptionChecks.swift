// What holds across options once each has its value (cli.md section 1.10): derived values, warnings, refused combinations.

import BackstopCore
import Glibc

func checkOptions(_ configuration: inout Configuration) throws(BackupError) {
    try checkStanzaName(configuration)
    try checkChosenRepository(configuration)
    try checkRepositoryPaths(configuration)
    try checkHosts(configuration)
    try checkFingerprints(configuration)
    try settleTimeouts(&configuration)
    replaceOldOptions(&configuration)
    if Commands.retaining.contains(configuration.command.name) { deriveRetention(&configuration) }
    nameRun(&configuration)
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
    guard let chosen = configuration.options.number("repo") else { return }
    let known = configuration.options.indexes(.repo)
    guard known.contains(Int(chosen)) else {
        throw BackupError(
            .optionInvalidValue, "'\(chosen)' is not allowed for option 'repo': there is no repo\(chosen)",
            hint: "configured: \(known.map { "repo\($0)" }.joined(separator: ", ")).")
    }
}

private func checkRepositoryPaths(_ configuration: Configuration) throws(BackupError) {
    let options = configuration.options
    var owners: [String: Int] = [:]
    for index in options.indexes(.repo) where options.string("repo-host", index) == nil {
        guard ["posix", "cifs"].contains(options.string("repo-type", index)), let path = options.string("repo-path", index) else {
            continue
        }
        if let other = owners.updateValue(index, forKey: path) {
            throw BackupError(
                .optionInvalidValue, "repo\(other)-path and repo\(index)-path are both '\(path)'",
                hint: "each repository needs a folder of its own.")
        }
    }
}

/// Where a command may run: some only beside the cluster, and not one between two other hosts whose configurations disagree.
private func checkHosts(_ configuration: Configuration) throws(BackupError) {
    let options = configuration.options
    let command = configuration.command.name
    guard command != "serve", let cluster = options.indexes(.pg).first(where: { options.isGiven("pg-host", $0) }) else { return }
    if !Commands.databaseHost.contains(command) {
        throw BackupError(
            .hostInvalid, "\(command) must be run on the host of the cluster, and pg\(cluster)-host says that this is another one",
            hint: "run it there, with a configuration that says repo1-host in place of pg\(cluster)-host.")
    }
    if let repository = options.indexes(.repo).first(where: { options.isGiven("repo-host", $0) && options.string("repo-type", $0) != "ssh" }
    ) {
        throw BackupError(
            .config, "pg\(cluster)-host and repo\(repository)-host are both set, but one of them has to be this host",
            hint: "on the host of the repository set pg\(cluster)-host only, on that of the cluster repo\(repository)-host only.")
    }
}

/// Who judges a host by a fingerprint needs one.
private func checkFingerprints(_ configuration: Configuration) throws(BackupError) {
    let options = configuration.options
    for index in options.indexes(.repo)
    where options.string("repo-type", index) == "sftp" && options.string("repo-sftp-host-key-check-type", index) == "fingerprint"
        && options.string("repo-sftp-host-fingerprint", index) == nil
    {
        throw BackupError(
            .optionRequired, "command '\(configuration.command.name)' requires option 'repo\(index)-sftp-host-fingerprint'",
            hint: "repo\(index)-sftp-host-key-check-type=fingerprint has nothing else to judge the host by.")
    }
}

/// Whoever waits for a process that waits for the database has to wait longer.
private func settleTimeouts(_ configuration: inout Configuration) throws(BackupError) {
    let options = configuration.options
    guard let database = options.number("db-timeout"), let other = options.number("protocol-timeout"), other <= database else { return }
    let margin: Int64 = 30 * second
    switch (options.isGiven("db-timeout"), options.isGiven("protocol-timeout")) {
    case (true, true):
        throw BackupError(
            .optionInvalidValue, "'\(timeText(other))' is not allowed for option 'protocol-timeout'",
            hint: "it has to be longer than db-timeout, which is \(timeText(database)).")
    case (_, true):
        let shorter = other > margin ? other - margin : other / 2
        configuration.options.values[Options.Name("db-timeout")] = Options.Resolved(.number(shorter), .defaultValue)
    default:
        configuration.options.values[Options.Name("protocol-timeout")] = Options.Resolved(.number(database + margin), .defaultValue)
    }
}

private func replaceOldOptions(_ configuration: inout Configuration) {
    let options = configuration.options
    if options.isGiven("compress") {
        let type = options.flag("compress") ? "gz" : "none"
        let text = "option 'compress' is old\nHINT: write compress-type=\(type) instead."
        // The peer takes it without a word.
        if configuration.dialect == .own { configuration.warnings.append(text) } else { configuration.notes.append(text) }
        if !options.isGiven("compress-type") {
            configuration.options.values[Options.Name("compress-type")] = Options.Resolved(.text(type), .defaultValue)
            if type == "none" { configuration.options.values[Options.Name("compress-level")] = Options.Resolved(.number(0), .defaultValue) }
        }
    }
    if options.isGiven("stop-auto") {
        configuration.warnings.append("option 'stop-auto' is old and has no effect\nHINT: take it out of the configuration.")
    }
}

private func deriveRetention(_ configuration: inout Configuration) {
    let options = configuration.options
    for index in options.indexes(.repo) {
        let full = options.number("repo-retention-full", index)
        let isTime = options.string("repo-retention-full-type", index) == "time"
        if full == nil {
            configuration.warnings.append(
                """
                option 'repo\(index)-retention-full' is not set: backups stay for ever and repo\(index) may run out of space
                HINT: set it to 9999999 to keep all of them without this warning.
                """)
        }
        guard options.number("repo-retention-archive", index) == nil else { continue }
        let derived: Int64?
        switch options.string("repo-retention-archive-type", index) {
        case "full": derived = isTime ? nil : full
        case "diff": derived = options.number("repo-retention-diff", index) ?? (isTime ? nil : full)
        default:
            derived = nil
            configuration.warnings.append(
                """
                option 'repo\(index)-retention-archive' is not set although repo\(index)-retention-archive-type=incr: WAL will not expire
                HINT: say of how many backups the WAL is to stay.
                """)
        }
        if let derived {
            configuration.options.values[Options.Name("repo-retention-archive", index)] = Options.Resolved(.number(derived), .defaultValue)
        }
    }
}

/// Gives the run its name, the same in the log and in the locks.
private func nameRun(_ configuration: inout Configuration) {
    guard configuration.options.string("exec-id") == nil else { return }
    let run = "\(getpid())-" + String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16)
    configuration.options.values[Options.Name("exec-id")] = Options.Resolved(.text(run), .defaultValue)
}
