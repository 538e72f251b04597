// Commands that only print: help and version.

import BackstopCommands
import BackstopCore

/// nil for commands that do something.
func pageToPrint(_ configuration: Configuration, _ table: OptionTable) throws(BackupError) -> String? {
    switch configuration.command.name {
    case "version":
        return versionText(configuration.options, configuration.dialect)
    case "help": return try Help.page(configuration, table)
    default: return nil
    }
}
