// Commands that only print: help and version.

import BackstopCommands
import BackstopCore

/// nil for commands that do something.
func pageToPrint(_ configuration: Configuration, _ table: OptionTable) throws(BackupError) -> String? {
    switch configuration.command.name {
    case "version":
        return configuration.options.string("output") == "num" ? Program.versionNumber : "\(Program.title) \(Program.version)\n"
    case "help": return ""
    default: return nil
    }
}
