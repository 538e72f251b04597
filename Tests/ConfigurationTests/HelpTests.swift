// Pages of help: complete, within 80 columns, with the values that hold.

@testable import BackstopCommands
@testable import BackstopCore
import Testing

func help(_ line: String, file: String = "", environment: [String: String] = [:]) throws(BackupError) -> String {
    try Help.page(try load(line, file: file, environment: environment), table)
}

@Suite struct HelpTests {
    @Test func generalListsEveryCommand() throws {
        let page = try help("help")
        for command in table.commands { #expect(page.contains("  \(command.name) ") != command.isHidden, "\(command.name)") }
        #expect(page == (try help("")))
        #expect(page == (try help("--help")))
        #expect(page == (try help("help help")))
        print(page)
    }
}
