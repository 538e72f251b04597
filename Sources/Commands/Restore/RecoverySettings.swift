// What a restored cluster is told about its recovery (repository-format.md section 10.5).

import BackstopCore

/// Pure: the lines, and the new text of postgresql.auto.conf or recovery.conf.
struct RecoverySettings {
    let version: PostgresVersion
    let options: Options
    /// `'<program> … archive-get %f "%p"'` without the quotes.
    let restoreCommand: String
    /// Local time text for the comments.
    let stamp: String
    let target: ResolvedTarget
    /// Settings of an earlier recovery in files that stay as they are: postgresql.conf and what it includes.
    var standing: Set<String> = []

    var type: String { options[GeneralOptions.type] ?? "default" }

    /// The file that the settings are in; nil: none is written.
    var file: String? {
        if type == "preserve" { return nil }
        if version >= .v12 { return "postgresql.auto.conf" }
        return type == "none" ? nil : "recovery.conf"
    }

    /// Empty file that puts PostgreSQL 12 and later into recovery.
    var signalFile: String? {
        guard version >= .v12 else { return nil }
        return switch type {
        case "none", "preserve": nil
        case "standby": "standby.signal"
        default: "recovery.signal"
        }
    }

    /// `key = 'value'`, in their order.
    func lines() throws(BackupError) -> [String] {
        var lines: [String] = []
        // In quotes, PostgreSQL takes a backslash for the begin of an escape.
        func add(_ key: String, _ value: String) { addGiven(key, Self.replacing("\\", with: "\\\\", in: value)) }
        // As the peer has it: who gives an option writes its escapes.
        func addGiven(_ key: String, _ value: String) { lines.append("\(key) = '\(Self.replacing("'", with: "''", in: value))'") }
        let given = Dictionary(
            options[RestoreOptions.recoveryOption].map { ($0.key.map { $0 == "-" ? "_" : "\($0)" }.joined(), $0.value) },
            uniquingKeysWith: { a, _ in a })
        for key in given.keys.sorted(by: bytewiseLess) {
            if key == "standby_mode" && version >= .v12 {
                throw BackupError(
                    .optionInvalid, "'standby_mode' setting is not valid for PostgreSQL >= 12",
                    hint: "use --type=standby instead of --recovery-option=standby_mode=on.")
            }
            addGiven(key, given[key]!)
        }
        if options[RestoreOptions.archiveMode] == "off" {
            guard version >= .v12 else {
                throw BackupError(
                    .optionInvalid, "option 'archive-mode' is not supported on PostgreSQL < 12",
                    hint: "'archive_mode' must be manually set to 'off' in postgresql.conf.")
            }
            add("archive_mode", "off")
        }
        if given["restore_command"] == nil { add("restore_command", restoreCommand) }
        switch type {
        case "immediate": add("recovery_target", "immediate")
        case "standby" where version < .v12: add("standby_mode", "on")
        case "lsn" where version < .v10:
            throw BackupError(
                .optionInvalid, "recovery target type 'lsn' is not known to PostgreSQL < 10",
                hint: "use a target of type time, xid or name.")
        case "time", "lsn", "xid", "name": add("recovery_target_\(type)", target.target ?? "")
        default: break
        }
        if options[RestoreOptions.targetExclusive] { add("recovery_target_inclusive", "false") }
        let action = options[RestoreOptions.targetAction]
        if action != "pause" { add("recovery_target_action", action) }
        if let timeline = target.timeline {
            if !(timeline == .current && version < .v12) { add("recovery_target_timeline", timeline.text) }
        } else if type == "immediate" && version >= .v12 {
            add("recovery_target_timeline", "current")
        }
        // A server refuses two targets, wherever they are written. This file is read last.
        for (name, value) in Self.unset where standing.contains(name) && !lines.contains(where: { $0.hasPrefix("\(name) = ") }) {
            add(name, value)
        }
        return lines
    }

    /// recovery.conf, for versions before 12.
    func recoveryFile() throws(BackupError) -> String { header + (try lines()).map { $0 + "\n" }.joined() }

    /// The new postgresql.auto.conf from what was restored: targets of an earlier recovery become comments, ours are appended. Bytes,
    /// because the file need not be UTF-8.
    func autoFile(_ old: [UInt8]) throws(BackupError) -> [UInt8] {
        var kept: [[UInt8]] = []
        for line in old.split(separator: 10, omittingEmptySubsequences: false) {
            kept.append(Self.isTarget(line) ? Array("# Removed by \(Program.title) restore on \(stamp) # ".utf8) + line : Array(line))
        }
        let text = Array(kept.joined(separator: [10]))
        if type == "none" { return text }
        let isBlank: (UInt8) -> Bool = { $0 == 32 || 9...13 ~= $0 }
        let trimmed = text.drop(while: isBlank)
        let end = trimmed.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? trimmed.startIndex
        let begin = trimmed[..<end]
        return Array(begin) + (begin.isEmpty ? [] : [10, 10]) + Array((header + (try lines()).map { $0 + "\n" }.joined()).utf8)
    }

    /// Lines of the restored postgresql.auto.conf that become comments.
    static func replaced(in old: [UInt8]) -> [String] {
        old.split(separator: 10).filter(isTarget).map { String(decoding: $0, as: UTF8.self) }
    }

    /// By scalars: a combining mark joins the character before it, which stays what it is to PostgreSQL and to a shell.
    private static func replacing(_ mark: Unicode.Scalar, with replacement: String, in text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { scalars.append(contentsOf: scalar == mark ? Array(replacement.unicodeScalars) : [scalar]) }
        return String(scalars)
    }

    /// A word as a shell reads it, where `%` stands for what PostgreSQL puts in.
    static func shellWord(_ word: String) -> String {
        let text = replacing("%", with: "%%", in: word)
        let isPlain = word.utf8.allSatisfy { byte in
            isUpperHexadecimal(byte) || 65...90 ~= byte || 97...122 ~= byte || "-_./=:,+@%".utf8.contains(byte)
        }
        return isPlain ? text : "'" + replacing("'", with: "'\\''", in: text) + "'"
    }

    /// The first line of what is written.
    var header: String { "# Recovery settings generated by \(Program.title) restore on \(stamp)\n" }

    /// The settings of a target, in their order, with the values that mean that there is none.
    static let unset = [
        ("recovery_target", ""), ("recovery_target_action", "pause"), ("recovery_target_inclusive", "true"), ("recovery_target_lsn", ""),
        ("recovery_target_name", ""), ("recovery_target_time", ""), ("recovery_target_timeline", "latest"), ("recovery_target_xid", ""),
    ]

    private static func isTarget(_ line: ArraySlice<UInt8>) -> Bool {
        ServerConfiguration.setting(line).map { setting in unset.contains { $0.0 == setting.name } } ?? false
    }
}
