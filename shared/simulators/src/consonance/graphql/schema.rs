//! From the text of the schema to one that can be asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::dynamic::{
    Enum, EnumItem, Field, FieldFuture, FieldValue, InputObject, InputValue, Interface, InterfaceField,
    Object, ResolverContext, Scalar, Schema, TypeRef,
};
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};
use async_graphql::{PathSegment, Positioned, ServerError, Value as GraphValue};
use serde_json::{Map, Value};

use super::resolve;
use crate::consonance::Simulator;
use crate::consonance::settings::{PayloadErrors, Settings};

const TEXT: &str = include_str!("schema.graphql");

type Directives = [Positioned<ConstDirective>];
type Fields = Vec<Positioned<FieldDefinition>>;

/// What a type is, as far as its values have to be shown in another way.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Plain,
    Object,
    Interface,
}

/// A field, and where its value comes from.
struct Place {
    /// The type that declares it: an interface for the fields that its types share.
    owner: String,
    name: String,
    of: TypeRef,
    shapes: Arc<BTreeMap<String, Shape>>,
}

struct Builder<'settings> {
    settings: &'settings Settings,
    shapes: Arc<BTreeMap<String, Shape>>,
    interfaces: BTreeMap<String, Fields>,
}

/// The schema for these switches.
pub(in crate::consonance) fn build(settings: &Settings) -> Result<Schema, String> {
    let document = parse_schema(TEXT).map_err(|error| error.to_string())?;
    let types: Vec<TypeDefinition> = document
        .definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(definition.node),
            _ => None,
        })
        .filter(|definition| is_there(&definition.directives, settings))
        .collect();
    let shapes = types.iter().map(|definition| {
        let shape = match definition.kind {
            TypeKind::Object(_) => Shape::Object,
            TypeKind::Interface(_) => Shape::Interface,
            _ => Shape::Plain,
        };
        (definition.name.node.to_string(), shape)
    });
    let interfaces = types.iter().filter_map(|definition| match &definition.kind {
        TypeKind::Interface(interface) => Some((definition.name.node.to_string(), interface.fields.clone())),
        _ => None,
    });
    let builder = Builder { settings, shapes: Arc::new(shapes.collect()), interfaces: interfaces.collect() };
    let mut schema = Schema::build("Query", Some("Mutation"), None);
    for definition in &types {
        let name = definition.name.node.as_str();
        schema = match &definition.kind {
            TypeKind::Scalar => schema.register(Scalar::new(name)),
            TypeKind::Enum(of) => {
                let items = of.values.iter().map(|value| EnumItem::new(value.node.value.node.as_str()));
                schema.register(Enum::new(name).items(items))
            }
            TypeKind::InputObject(of) => schema.register(builder.input(name, &of.fields)),
            TypeKind::Interface(of) => schema.register(builder.interface(name, &of.fields)),
            TypeKind::Object(of) => {
                let implements = of.implements.iter().map(|name| name.node.to_string()).collect();
                schema.register(builder.object(definition, implements, &of.fields))
            }
            TypeKind::Union(_) => schema,
        };
    }
    schema.finish().map_err(|error| error.to_string())
}

/// Whether the switch that a directive names is set; without one it is always there.
fn is_there(directives: &Directives, settings: &Settings) -> bool {
    directives.iter().filter(|directive| directive.node.name.node == "only").all(|directive| {
        directive.node.arguments.iter().all(|(name, switch)| {
            let GraphValue::String(switch) = &switch.node else { return false };
            settings.has(switch) == (name.node == "if")
        })
    })
}

fn carries(directives: &Directives, name: &str) -> bool {
    directives.iter().any(|directive| directive.node.name.node == name)
}

fn reference(of: &Type) -> TypeRef {
    let base = match &of.base {
        BaseType::Named(name) => TypeRef::named(name.as_str()),
        BaseType::List(inner) => TypeRef::List(Box::new(reference(inner))),
    };
    if of.nullable { base } else { TypeRef::NonNull(Box::new(base)) }
}

fn argument(of: &InputValueDefinition) -> InputValue {
    InputValue::new(of.name.node.as_str(), reference(&of.ty.node))
}

impl Builder<'_> {
    fn input(&self, name: &str, fields: &[Positioned<InputValueDefinition>]) -> InputObject {
        let there = fields.iter().filter(|field| is_there(&field.node.directives, self.settings));
        there.fold(InputObject::new(name), |input, field| input.field(argument(&field.node)))
    }

    fn interface(&self, name: &str, fields: &Fields) -> Interface {
        let there = fields.iter().filter(|field| is_there(&field.node.directives, self.settings));
        there.fold(Interface::new(name), |interface, field| {
            let arguments = field.node.arguments.iter();
            let declared = InterfaceField::new(field.node.name.node.as_str(), reference(&field.node.ty.node));
            interface.field(arguments.fold(declared, |field, of| field.argument(argument(&of.node))))
        })
    }

    fn object(&self, definition: &TypeDefinition, implements: Vec<String>, own: &Fields) -> Object {
        let name = definition.name.node.as_str();
        let mut object = Object::new(name);
        for interface in implements {
            let shared = self.interfaces.get(&interface).into_iter().flatten();
            object = self.fields(object, &interface, shared);
            object = object.implement(interface);
        }
        object = self.fields(object, name, own.iter());
        if carries(&definition.directives, "payload") {
            object = object.field(self.field(name, "clientMutationId", TypeRef::named(TypeRef::STRING)));
            let fault = match self.settings.payload_errors {
                PayloadErrors::Field => Some("FieldFault"),
                PayloadErrors::Attribute => Some("AttributeFault"),
                PayloadErrors::Messages => Some("MessagesFault"),
                PayloadErrors::Top => None,
            };
            if let Some(fault) = fault {
                object = object.field(self.field(name, "errors", TypeRef::named_nn_list_nn(fault)));
            }
        }
        if carries(&definition.directives, "upload") {
            object = object.field(self.field(name, &self.settings.upload_url_field, TypeRef::named("URL")));
        }
        object
    }

    fn fields<'fields>(
        &self,
        object: Object,
        owner: &str,
        fields: impl Iterator<Item = &'fields Positioned<FieldDefinition>>,
    ) -> Object {
        let there = fields.filter(|field| is_there(&field.node.directives, self.settings));
        there.fold(object, |object, field| {
            let declared = self.field(owner, field.node.name.node.as_str(), reference(&field.node.ty.node));
            let arguments = field.node.arguments.iter();
            object.field(arguments.fold(declared, |field, of| field.argument(argument(&of.node))))
        })
    }

    fn field(&self, owner: &str, name: &str, of: TypeRef) -> Field {
        let place = Arc::new(Place {
            owner: owner.to_owned(),
            name: name.to_owned(),
            of: of.clone(),
            shapes: Arc::clone(&self.shapes),
        });
        Field::new(name, of, move |context| {
            let place = Arc::clone(&place);
            FieldFuture::new(async move { place.value(&context) })
        })
    }
}

impl Place {
    fn value(&self, context: &ResolverContext<'_>) -> async_graphql::Result<Option<FieldValue<'static>>> {
        let simulator = context.ctx.data::<Simulator>()?;
        let mut arguments = Map::new();
        for (name, value) in context.args.as_index_map() {
            arguments.insert(name.to_string(), value.clone().into_json()?);
        }
        let parent = context.parent_value.downcast_ref::<Value>().unwrap_or(&Value::Null);
        let value =
            simulator.with_state(|state| resolve::field(state, &self.owner, &self.name, parent, &arguments));
        match value {
            Ok(value) => Ok(self.shown(value, &self.of)),
            // What fails is null, and its error says where; the rest is answered. Only mutations fail, which stand at the top.
            Err(message) => {
                let field = context.ctx.field();
                let path = vec![PathSegment::Field(field.alias().unwrap_or(field.name()).to_owned())];
                let error = ServerError::new(message, Some(context.ctx.item.pos));
                context.ctx.add_error(ServerError { path, ..error });
                Ok(None)
            }
        }
    }

    fn shown(&self, value: Value, of: &TypeRef) -> Option<FieldValue<'static>> {
        match (of, value) {
            (_, Value::Null) => None,
            (TypeRef::NonNull(inner), value) => self.shown(value, inner),
            (TypeRef::List(inner), Value::Array(list)) => {
                Some(FieldValue::list(list.into_iter().filter_map(|one| self.shown(one, inner))))
            }
            (TypeRef::Named(name), value) => match self.shapes.get(name.as_ref()) {
                Some(Shape::Object) => Some(FieldValue::owned_any(value)),
                Some(Shape::Interface) => {
                    let kind = value.get("__typename").and_then(Value::as_str).unwrap_or_default().to_owned();
                    Some(FieldValue::owned_any(value).with_type(kind))
                }
                Some(Shape::Plain) | None => GraphValue::from_json(value).ok().map(FieldValue::value),
            },
            (TypeRef::List(_), _) => None,
        }
    }
}
