// A driver that the configuration uses and that plugins.conf does not name: said as that, and not as an unknown option or value.

extension BackupError {
    /// `option` chose it: `repo1-type`. `plugins`: the file in which it is not.
    static func missingDriver(_ name: String, _ option: String, _ plugins: String) -> BackupError {
        BackupError(
            .optionInvalidValue, "driver '\(name)' (\(option)) is not in \(plugins)",
            hint: "write '\(name) = exec PROGRAM' into its [storage] section.\n"
                + "another file than \(plugins) is named with --plugins or PGBACKSTOP_PLUGINS.")
    }
}

extension OptionTable {
    /// Whether `written` would be an option of a driver that is missing. `type`: what the configuration says for `repoN-type`.
    func missingDriver(for written: String, type: (_ option: String) -> String?) -> BackupError? {
        guard let dash = written.firstIndex(of: "-"), written.hasPrefix("repo"), Int(written[..<dash].dropFirst(4)) != nil else {
            return nil
        }
        let option = written[..<dash] + "-type"
        guard let name = type(String(option)), written[dash...].hasPrefix("-\(name)-"), isNoDriver(name) else { return nil }
        return .missingDriver(name, String(option), plugins)
    }

    /// On a command line, where `repoN-type` may stand, or the name of the driver to check.
    func missingDriver(for written: String, in arguments: [String]) -> BackupError? {
        missingDriver(for: written) { option in
            let choice = arguments.first { $0.hasPrefix("--\(option)=") }?.dropFirst(option.utf8.count + 3)
            let named = written.split(separator: "-").dropFirst().first.map(String.init)
            return choice.map(String.init) ?? named.flatMap { arguments.contains($0) ? $0 : nil }
        }
    }

    private func isNoDriver(_ name: String) -> Bool {
        self.option("repo-type").map { !$0.choices(for: "").contains(name) } ?? false
    }
}
