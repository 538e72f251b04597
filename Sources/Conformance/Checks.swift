// Named checks of the contracts in BackstopCore, for tests, the command line and third parties.
