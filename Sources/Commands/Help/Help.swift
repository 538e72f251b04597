// The command help: general, for a command, for an option of a command. All of it comes from the tables.

public import BackstopCore

/// Pages of help; each is a pure function of the tables and of the values that hold now.
public enum Help {
    /// The page that `help` asks for. Throws when it asks about an option that the command does not have.
    public static func page(_ configuration: Configuration, _ table: OptionTable) throws(BackupError) -> String {
        guard configuration.positional.first != nil, configuration.subject.name != "help" else { return general(table) }
        guard configuration.positional.count > 1 else { return command(configuration, table) }
        return try option(configuration.positional[1], configuration, table)
    }

    static func title(_ subject: String) -> String { "\(Program.title) \(Program.version) - \(subject)\n\n" }

    static func general(_ table: OptionTable) -> String {
        var text = title("general help") + "Usage:\n  \(Program.called) [options] command [arguments]\n"
        let commands = table.commands.filter { !$0.isHidden }
        let column = 4 + (commands.map(\.name.count).max() ?? 0)
        for section in unique(commands.map(\.section)) {
            text += "\n\(section):\n"
            for command in commands where command.section == section {
                text += HelpText.row(command.name, command.summary + (command.isSupported ? "" : " (not supported yet)"), column: column)
            }
        }
        return text + "\n" + HelpText.wrap("'\(Program.called) help COMMAND' tells more, 'help COMMAND OPTION' tells all about an option.")
    }

    static func command(_ configuration: Configuration, _ table: OptionTable) -> String {
        let command = configuration.subject
        var text =
            title("command \(command.name)") + HelpText.wrap(HelpText.sentence(command.summary)) + "\n" + HelpText.wrap(command.details)
        if !command.isSupported { text += "\nThis version does not support it yet.\n" }
        let arguments = command.positional.map { $0.isOptional ? " [\($0.name)]" : " \($0.name)" }.joined()
        let stanza = command.stanza == .required ? " --stanza=STANZA" : ""
        text += "\nUsage:\n  \(Program.called) [options]\(stanza) \(command.name)\(arguments)\n"

        let options = table.options.filter { $0.commands.contains(command.name) && !$0.isHidden }.sorted { $0.pattern < $1.pattern }
        // What it is about comes first, what all have in common last.
        func heading(_ option: OptionSpec) -> String {
            option.group == nil && option.commands.count <= 4 ? "The command's own" : option.section
        }
        let headings = unique(["The command's own"] + table.options.map(\.section).filter { !common.contains($0) } + common)
        for section in headings {
            let rows = options.filter { heading($0) == section }
            if rows.isEmpty { continue }
            text += "\n\(section) options:\n"
            for option in rows {
                text += HelpText.row("--\(option.pattern)", option.summary + remarks(option, configuration), column: 36)
            }
        }
        return text
    }

    private static let common = ["General", "Log"]

    private static func remarks(_ option: OptionSpec, _ configuration: Configuration) -> String {
        var remarks: [String] = []
        if let text = defaultText(option, configuration) { remarks.append("default=\(text)") }
        if let text = currentText(option, configuration) { remarks.append("current=\(text)") }
        if !option.isSupported(by: configuration.subject.name) { remarks.append("not supported yet") }
        return remarks.isEmpty ? "" : " [\(remarks.joined(separator: ", "))]"
    }

    static func defaultText(_ option: OptionSpec, _ configuration: Configuration) -> String? {
        if !option.defaultByDependency.isEmpty { return "by \(option.dependency?.option ?? "")" }
        return option.defaultText(for: configuration.subject.name, configuration.defaults)
    }

    /// What holds now, when somebody set it; with the index where that is not plainly the first.
    static func currentText(_ option: OptionSpec, _ configuration: Configuration) -> String? {
        let given = configuration.given.filter { $0.option.name == option.name }
        let texts = given.compactMap { given -> String? in
            let value: String
            switch given.value {
            case .reset: return nil
            case .negated: value = option.isBoolean || !option.choices(for: configuration.subject.name).isEmpty ? "n" : "none"
            case .values(let texts): value = option.isSecret ? "<redacted>" : texts.joined(separator: ", ")
            }
            return given.index > 1 || given.index > 0 && given.count(in: configuration) > 1 ? "\(given.shown): \(value)" : value
        }
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }

    static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}

extension Configuration.Given {
    fileprivate func count(in configuration: Configuration) -> Int { configuration.given.count { $0.option.name == option.name } }
}
