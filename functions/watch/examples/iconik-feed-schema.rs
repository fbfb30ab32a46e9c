//! Prints the JSON Schema of feed files for iconik.
#![allow(clippy::print_stdout)]

fn main() {
    print!("{}", watch::iconik::feeds::schema());
}
