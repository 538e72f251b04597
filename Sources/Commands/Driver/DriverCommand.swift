// driver: what there is to store and to encode with, what options a driver has, and whether it keeps the contract.

import BackstopCore
import Glibc

enum DriverCommand {
    static func run(_ context: RunContext) async throws(BackupError) {
        let name = context.positional.dropFirst().first
        switch (context.positional.first, name) {
        case ("list", nil): try StandardOutput.write(list(context.registry))
        case ("options", let name?): try StandardOutput.write(try await options(try context.registry.storage(name), context))
        case ("check", let name?):
            if geteuid() == 0 { context.log.warn("what the driver makes belongs to root: check where nothing is kept") }
            var check = try await DriverCheck(try context.registry.storage(name), context.options, context.driverContext())
            try await check.run()
        case ("list", _?): throw BackupError(.parameterInvalid, "'driver list' takes no name")
        case ("options", nil), ("check", nil):
            throw BackupError(
                .parameterRequired, "'driver \(context.positional[0])' needs the name of a driver",
                hint: "there are: \(context.registry.storages.keys.sorted().joined(separator: ", ")).")
        case (let other, _):
            throw BackupError(
                .parameterInvalid, "unknown action '\(other ?? "")'", hint: "write driver list, driver options NAME or driver check NAME.")
        }
    }

    private static func list(_ registry: Registry) -> String {
        var lines: [String] = []
        func section(_ title: String, _ names: [String]) { lines += ["\(title):"] + names.sorted().map { "  \($0)" } }
        section(
            "storage",
            registry.storages.values.filter { $0.variantOf == nil }.map { $0.describe == nil ? $0.name : "\($0.name) (not of pgbackstop)" })
        section("codec", registry.codecs.values.map { $0.suffix.isEmpty ? $0.name : "\($0.name) (files end in \($0.suffix))" })
        section("cipher", Array(registry.ciphers.keys))
        section("checksum", Array(registry.checksums.keys))
        return lines.joined(separator: "\n") + "\n"
    }

    private static func options(_ driver: StorageDriver, _ context: RunContext) async throws(BackupError) -> String {
        var rows: [(name: String, text: String)] = []
        if let describe = driver.describe {
            for option in try await describe(context.options, context.driverContext()).options {
                var notes = [option.describedKind]
                if option.isRequired { notes.append("required") }
                if option.isSecret { notes.append("secret") }
                if let text = option.defaultValue { notes.append("default: \(option.isSecret ? "<redacted>" : text)") }
                rows.append(("repoN-\(driver.name)-\(option.name)", "\(option.summary) (\(notes.joined(separator: ", ")))"))
            }
        } else {
            for option in driver.options
            where option.dependency.map({ $0.option != PlaceOptions.type.spec.name || $0.values.contains(driver.name) }) ?? true {
                rows.append((option.pattern, option.summary + (option.isSecret ? " (secret)" : "")))
            }
        }
        guard !rows.isEmpty else { return "driver '\(driver.name)' has no options of its own\n" }
        let width = rows.map(\.name.count).max() ?? 0
        return rows.map { $0.name + String(repeating: " ", count: width - $0.name.count + 2) + $0.text + "\n" }.joined()
    }
}

extension DriverCommand {
    static let command = Command(
        CommandSpec(
            "driver", "Repository", "show and check storage drivers",
            """
            'driver list' shows what there is to store and to encode with, 'driver options NAME' the options of a driver, and \
            'driver check NAME' runs the checks of the storage contract against it, with the options of repo1, in a folder of its own.
            """
        ) {
            $0.stanza = .none
            $0.positional = [CommandSpec.Positional("ACTION"), CommandSpec.Positional("NAME", isOptional: true)]
            $0.actionOnRepositoryType = "check"
            $0.allowsRoot = true
            $0.runLevel = .debug
        },
        run: run)
}
