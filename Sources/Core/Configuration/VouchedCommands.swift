// What a command that vouches for others has to know of them: the same configuration, read as they would read it.

extension Configuration {
    /// The options of the commands that `commandLine.command` vouches for, by their names. Throws what the first of them would refuse. A command
    /// that runs on another host only is left out: it has another configuration.
    public static func vouchedOptions(
        _ commandLine: ParsedCommandLine, environment: [String: String], _ table: OptionTable,
        folders: ConfigurationFolders = ConfigurationFolders()
    ) throws(BackupError) -> [String: Options] {
        var found: [String: Options] = [:]
        for name in commandLine.command.vouchesFor {
            guard let command = table.command(name) else { continue }
            var line = commandLine
            (line.command, line.subject, line.positional) = (command, command, [])
            line.given = line.given.filter { table.option($0.key.name)?.commands.contains(name) ?? false }
            do throws(BackupError) {
                found[name] = try load(line, environment: environment, table, folders: folders).options
            } catch  where error.code == .hostInvalid {
                continue
            } catch {
                throw error.during("command '\(name)'")
            }
        }
        return found
    }
}
