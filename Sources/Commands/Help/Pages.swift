// Commands that print a page and touch nothing; the composition root has what they print (cli.md section 1.1).

import BackstopCore

enum Pages {
    static let help = Command(
        CommandSpec("help", "This program", "show help", "For the program, a command, or an option of a command, with its current value.") {
            $0.stanza = .none
            $0.positional = [CommandSpec.Positional("COMMAND", isOptional: true), CommandSpec.Positional("OPTION", isOptional: true)]
            $0.allowsRoot = true
            $0.runLevel = .debug
            $0.readsConfiguration = false
        }
    ) { _ in }
    static let version = Command(
        CommandSpec(
            "version", "This program", "show the version",
            "With --output=num as a number that can be compared, with --verbose which program it is by any name."
        ) {
            $0.stanza = .none
            $0.allowsRoot = true
            $0.runLevel = .debug
            $0.readsConfiguration = false
        }
    ) { _ in }
}
