// The options that configuration files set for one command and stanza, and what in them is wrong or without effect.

internal import Glibc

/// Reads the sections that apply, the most special first.
struct FileOptions {
    struct Entry {
        var texts: [String]
        var place: String
    }

    let file: ConfigurationFile
    let table: OptionTable
    let command: String
    let stanza: String?
    /// Whether a key that is no option is an error. A misspelt `repo1-retention-full` would otherwise mean to keep backups for ever.
    var isStrict = true
    /// False: not even that ends the command.
    var mayFail = true

    private(set) var entries: [Options.Name: Entry] = [:]
    private(set) var warnings: [String] = []
    /// Of the warnings and remarks those that say why a section seems to lack what is in the file.
    private(set) var misplaced: [String] = []
    /// What pgBackRest takes without a word.
    private(set) var remarks: [String] = []
    private var filesOfSecrets: Set<String> = []

    init(_ file: ConfigurationFile, _ table: OptionTable, command: String, stanza: String?) {
        self.file = file
        self.table = table
        self.command = command
        self.stanza = stanza
    }

    private var sections: [String] {
        (stanza.map { ["\($0):\(command)", $0] } ?? []) + ["global:\(command)", "global"]
    }

    /// The value of an option that decides how the file is read.
    func text(_ key: String) -> String? {
        for section in sections {
            if let entry = file.sections[section]?.last(where: { $0.key == key }) { return entry.value }
        }
        return nil
    }

    mutating func read() throws(BackupError) {
        for section in sections {
            guard let lines = file.sections[section] else { continue }
            try read(section, lines)
        }
        warnAboutUnknownCommands()
        warnings += misplaced
        let mistaken = mistakenSections()
        remarks += mistaken
        misplaced += mistaken
    }

    private mutating func read(_ section: String, _ lines: [ConfigurationFile.Entry]) throws(BackupError) {
        var found: [Options.Name: Entry] = [:]
        var keys: [Options.Name: String] = [:]
        for line in lines {
            guard let match = try match(line), match.form == .plain else {
                try unknown(line, section)
                continue
            }
            let option = match.option
            let place = "\(line.place): option '\(line.key)' in section [\(section)]"
            if option.place == .commandLine {
                warnings.append("\(place) is ignored: it belongs on the command line")
            } else if !option.commands.contains(command) {
                // Without a command in its name a section serves all commands, and each takes what it knows.
                if section.hasSuffix(":\(command)") { warnings.append("\(place) is ignored: '\(command)' does not have it") }
            } else if option.place == .stanza, section.hasPrefix("global") {
                misplaced.append("\(place) is ignored: it belongs in the section of a stanza")
            } else {
                guard !line.value.isEmpty else { throw BackupError(.optionInvalidValue, "\(place) has an empty value") }
                if let key = keys.updateValue(line.key, forKey: match.name), key != line.key {
                    throw BackupError(.optionInvalid, "\(place) is the same as '\(key)' there", hint: "keep one of them.")
                }
                if let earlier = found[match.name], !option.isRepeatable {
                    throw BackupError(.optionInvalid, "\(place) is set more than once", hint: "it was set in \(earlier.place).")
                }
                remark(line, option, place)
                found[match.name, default: Entry(texts: [], place: line.place)].texts.append(line.value)
            }
        }
        entries.merge(found) { special, _ in special }
    }

    /// Values are not shown: they may be secrets.
    private mutating func remark(_ line: ConfigurationFile.Entry, _ option: OptionSpec, _ place: String) {
        if line.value.contains(" #") || line.value.contains("\t#") {
            remarks.append("\(place): # and what follows it is a part of the value\nHINT: comments stand on lines of their own.")
        }
        if option.isSecret, filesOfSecrets.insert(line.path).inserted, Self.isReadableByAll(line.path) {
            remarks.append(
                "\(line.path) holds a secret, '\(line.key)', and every user of this host can read it\nHINT: chmod 640 \(line.path)")
        }
    }

    /// The mode of the file and those of the folders above allow it.
    private static func isReadableByAll(_ path: String) -> Bool {
        guard var path = realPath(path)?[...], let file = pathStatus(String(path)), file.st_mode & S_IROTH != 0 else { return false }
        while let slash = path.lastIndex(of: "/") {
            path = path[..<slash]
            guard let folder = pathStatus(path.isEmpty ? "/" : String(path)), folder.st_mode & S_IXOTH != 0 else { return false }
        }
        return true
    }

    private func match(_ line: ConfigurationFile.Entry) throws(BackupError) -> OptionTable.Match? {
        do { return try table.match(line.key) } catch { throw error.during(line.place) }
    }

    private mutating func unknown(_ line: ConfigurationFile.Entry, _ section: String) throws(BackupError) {
        if let missing = table.missingDriver(for: line.key, type: { text($0) }) { throw missing.during(line.place) }
        let message = "\(line.place): unknown option '\(line.key)' in section [\(section)]"
        let hint: String?
        if line.key.hasPrefix("no-") || line.key.hasPrefix("reset-") {
            hint = "no- and reset- are for the command line only."
        } else {
            hint = table.nearestHint(to: line.key)
        }
        guard !mayFail || !isStrict || line.isPeers else {
            let way = "set config-strict=n to be warned only."
            throw BackupError(.optionInvalid, message, hint: hint.map { "\($0)\n\(way)" } ?? way)
        }
        warnings.append(message + (hint.map { "\nHINT: \($0)" } ?? ""))
    }

    /// Sections with nearly the names that are read.
    private func mistakenSections() -> [String] {
        let read = ["global"] + (stanza.map { [$0] } ?? [])
        return file.sections.keys.sorted(by: bytewiseLess).compactMap { name in
            guard !read.contains(name), let meant = read.first(where: { $0.lowercased() == name.trimmed.lowercased() }),
                let line = file.sections[name]?.first
            else { return nil }
            return "\(line.place): section [\(name)] is not read: it is not [\(meant)]"
        }
    }

    /// A section for a command that does not exist is never read by any.
    private mutating func warnAboutUnknownCommands() {
        for name in file.sections.keys.sorted() {
            let owners = ["global"] + (stanza.map { [$0] } ?? [])
            guard let owner = owners.first(where: { name.hasPrefix($0 + ":") }), let line = file.sections[name]?.first else { continue }
            let written = String(name.dropFirst(owner.utf8.count + 1))
            if table.command(written) == nil {
                let hint = nearestName(to: written, in: table.commands.map(\.name)).map { "\nHINT: did you mean '\($0)'?" } ?? ""
                warnings.append("\(line.place): section [\(name)] is never read: there is no command '\(written)'\(hint)")
            }
        }
    }
}
