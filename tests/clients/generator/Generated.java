package javax.annotation;

/** In place of the package javax.annotation-api, which the generated code asks for. */
public @interface Generated {
  String[] value();

  String comments() default "";
}
